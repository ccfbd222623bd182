"""ISO BMFF boxes (ISO/IEC 14496-12), each in a module named by its four-character type.

``encode`` returns the complete box, header included; ``parse`` takes a box's contents from
:mod:`packager.boxes.walk` and raises MalformedBox. If a value does not fit its field, ``struct.error`` is raised;
:func:`packager.cmaf.init_segment.init_segment` and :func:`packager.cmaf.fragment.fragment` turn it into Unwritable.
"""
