"""ISO BMFF boxes (ISO/IEC 14496-12), each in a module of the name of its four characters.

``encode`` returns the whole box, header included; ``parse`` takes a box's contents as :mod:`packager.boxes.walk`
finds them and raises MalformedBox. A value that does not fit its field raises ``struct.error``, which
:func:`packager.cmaf.init_segment.init_segment` and :func:`packager.cmaf.fragment.fragment` turn into Unwritable.
"""
