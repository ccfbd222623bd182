"""ISO BMFF boxes (ISO/IEC 14496-12), one a module, named by its four characters.

``encode`` gives the whole box, header and all; ``parse`` takes a box's contents as :mod:`packager.boxes.walk` finds
them and raises MalformedBox. A value that does not fit its field raises ``struct.error``, which
:func:`packager.cmaf.init_segment.init_segment` and :func:`packager.cmaf.fragment.fragment` turn into Unwritable.
"""
