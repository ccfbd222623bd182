module headwater/interop/gomedia

go 1.21

require github.com/yapingcat/gomedia v0.0.0-20240906162731-17feea57090c
