"""AAC in MPEG-4: the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) and silent frames."""

from dataclasses import dataclass

from media.bits import BitReader, BitWriter
from media.codecs.adts import SYNC, audio_specific_config, signature, split
from media.codecs.descriptor import AudioCodec, InBandConfig, Transport
from media.configs import AudioConfig
from media.errors import MalformedConfig, UnsupportedConfig
from media.units import Codec

# A record with a program_config_element and its longest comment is shorter.
MAX_RECORD = 512

AAC_LC = 2
SBR = 5
PS = 29
ESCAPE = 31
OBJECT_TYPE_NAMES = {
    1: "AAC Main",
    3: "AAC SSR",
    4: "AAC LTP",
    6: "AAC Scalable",
    17: "ER AAC LC",
    23: "AAC LD",
    34: "MP3 in MPEG-4",
    39: "AAC ELD",
    42: "xHE-AAC (USAC)",
}

# samplingFrequencyIndex, Table 1.18.
SAMPLE_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
EXPLICIT_RATE = 15
MAX_SAMPLE_RATE = 192_000

# Channels by channelConfiguration, Table 1.19. 0 means that a program_config_element follows; others are reserved.
CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 13: 24, 14: 8}

# syncExtensionType of backward-compatible signalling (1.6.2.1).
SYNC_SBR = 0x2B7
SYNC_PS = 0x548

# id_syn_ele, Table 4.85, and the elements that each channelConfiguration has, Table 1.19.
SCE, CPE, LFE, END = 0, 1, 3, 7
ELEMENTS = {
    1: (SCE,),
    2: (CPE,),
    3: (SCE, CPE),
    4: (SCE, CPE, SCE),
    5: (SCE, CPE, CPE),
    6: (SCE, CPE, CPE, LFE),
    7: (SCE, CPE, CPE, CPE, LFE),
}


@dataclass(frozen=True, slots=True)
class _AudioSpecificConfig:
    """Rates are in hertz. ``output_rate`` is twice ``core_rate`` if SBR is signalled and doubles it."""

    channel_configuration: int
    core_channels: int
    core_rate: int
    core_samples: int
    output_rate: int
    sbr: bool
    ps: bool


def parse_audio_specific_config(record: bytes) -> AudioConfig:
    """AAC-LC, HE-AAC and HE-AAC v2 (signalled either way). Raises MalformedConfig, UnsupportedConfig."""
    config = _parse(record)
    object_type = PS if config.ps else SBR if config.sbr else AAC_LC
    return AudioConfig(
        codec=Codec.AAC,
        record=record,
        codec_string=f"mp4a.40.{object_type}",
        sample_rate=config.output_rate,
        # Parametric stereo decodes one channel to two.
        channels=2 if config.ps else config.core_channels,
        frame_samples=config.core_samples * config.output_rate // config.core_rate,
    )


def silent_frame(config: AudioConfig) -> bytes | None:
    """One raw_data_block (4.4.2.1) of silence for ``config``'s AAC-LC core.

    None if a program_config_element defines the channels, or if the channelConfiguration is above 7. Raises
    MalformedConfig, UnsupportedConfig for a record that :func:`parse_audio_specific_config` refuses.
    """
    elements = ELEMENTS.get(_parse(config.record).channel_configuration)
    if elements is None:
        return None
    bits = BitWriter()
    for index, element in enumerate(elements):
        bits.write(element, 3)
        bits.write(elements[:index].count(element), 4)  # element_instance_tag
        if element == CPE:
            bits.flag(True)  # common_window
            _write_ics_info(bits)
            bits.write(0, 2)  # ms_mask_present
            _write_global_gain(bits)
            _write_no_tools(bits)
            _write_global_gain(bits)
        else:
            _write_global_gain(bits)
            _write_ics_info(bits)
        _write_no_tools(bits)
    bits.write(END, 3)
    return bits.to_bytes()


def _write_global_gain(bits: BitWriter) -> None:
    bits.write(0, 8)


def _write_ics_info(bits: BitWriter) -> None:
    """One long sine window without a scale factor band: no sections, scale factors or spectrum follow."""
    bits.write(0, 1)  # ics_reserved_bit
    bits.write(0, 2)  # window_sequence: ONLY_LONG_SEQUENCE
    bits.write(0, 1)  # window_shape
    bits.write(0, 6)  # max_sfb
    bits.write(0, 1)  # predictor_data_present


def _write_no_tools(bits: BitWriter) -> None:
    bits.write(0, 3)  # pulse_data_present, tns_data_present, gain_control_data_present


def _parse(record: bytes) -> _AudioSpecificConfig:
    if len(record) > MAX_RECORD:
        raise MalformedConfig(f"an AudioSpecificConfig of {len(record)} bytes; none needs more than {MAX_RECORD}")
    bits = BitReader(record)
    object_type = _read_object_type(bits)
    core_rate = _read_sample_rate(bits)
    channel_configuration = bits.read(4)
    output_rate = core_rate
    sbr = object_type in (SBR, PS)
    ps = object_type == PS
    if sbr:
        output_rate = _read_sample_rate(bits)
        object_type = _read_object_type(bits)
    if object_type != AAC_LC:
        name = OBJECT_TYPE_NAMES.get(object_type, f"MPEG-4 audio object type {object_type}")
        raise UnsupportedConfig(f"the audio is {name}; send AAC-LC or HE-AAC")

    # GASpecificConfig, 4.4.1.
    core_samples = 960 if bits.flag() else 1024
    if bits.flag():  # dependsOnCoreCoder
        bits.skip(14)
    bits.skip(1)  # extensionFlag, 0 for AAC-LC
    if channel_configuration == 0:
        core_channels = _read_program_config(bits)
    elif channel_configuration in CHANNELS:
        core_channels = CHANNELS[channel_configuration]
    else:
        raise MalformedConfig(f"AAC channel configuration {channel_configuration} is reserved")

    if not sbr and bits.remaining >= 16 and bits.read(11) == SYNC_SBR and _read_object_type(bits) == SBR:
        sbr = bits.flag()
        if sbr:
            output_rate = _read_sample_rate(bits)
            if bits.remaining >= 12 and bits.read(11) == SYNC_PS:
                ps = bits.flag()
    if output_rate not in (core_rate, 2 * core_rate):
        raise MalformedConfig(f"HE-AAC from {core_rate} Hz to {output_rate} Hz; SBR keeps the rate or doubles it")
    if ps and core_channels != 1:
        raise MalformedConfig(f"HE-AAC v2 over {core_channels} channels; parametric stereo is made of one")
    return _AudioSpecificConfig(
        channel_configuration=channel_configuration,
        core_channels=core_channels,
        core_rate=core_rate,
        core_samples=core_samples,
        output_rate=output_rate,
        sbr=sbr,
        ps=ps,
    )


def _read_object_type(bits: BitReader) -> int:
    object_type = bits.read(5)
    return 32 + bits.read(6) if object_type == ESCAPE else object_type


def _read_sample_rate(bits: BitReader) -> int:
    index = bits.read(4)
    if index == EXPLICIT_RATE:
        rate = bits.read(24)
        if not 0 < rate <= MAX_SAMPLE_RATE:
            raise MalformedConfig(f"an AAC sample rate of {rate} Hz")
        return rate
    if index >= len(SAMPLE_RATES):
        raise MalformedConfig(f"AAC sampling frequency index {index} is reserved")
    return SAMPLE_RATES[index]


def _read_program_config(bits: BitReader) -> int:
    """Reads a program_config_element (4.4.1.1); returns its channels."""
    bits.skip(4 + 2 + 4)  # element_instance_tag, object_type, sampling_frequency_index
    outputs = sum(bits.read(4) for _ in ("front", "side", "back"))
    lfe = bits.read(2)
    associated_data = bits.read(3)
    coupling = bits.read(4)
    for size in (4, 4, 3):  # mono_mixdown, stereo_mixdown, matrix_mixdown
        if bits.flag():
            bits.skip(size)
    channels = lfe
    for _ in range(outputs):
        channels += 2 if bits.flag() else 1
        bits.skip(4)
    bits.skip(4 * lfe + 4 * associated_data + 5 * coupling)
    bits.align()
    bits.skip(8 * bits.read(8))  # comment_field_data
    if channels == 0:
        raise MalformedConfig("an AAC program configuration has no channel")
    return channels


def parse_adts_config(message: bytes) -> AudioConfig:
    """The configuration in the header of an ADTS frame. Raises MalformedConfig, UnsupportedConfig."""
    return parse_audio_specific_config(audio_specific_config(message))


AAC = AudioCodec(
    codec=Codec.AAC,
    parse_config=parse_audio_specific_config,
    silence=silent_frame,
    transport=Transport(sync=SYNC, split=split, config=InBandConfig(signature, parse_adts_config)),
)
