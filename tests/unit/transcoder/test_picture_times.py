from transcoder.worker.picture_times import LEFT_OUT, MAX_SENT, PictureTimes


def decode(packets: list[int], pictures: list[int], *, ahead: int = 2) -> tuple[PictureTimes, list[int | None]]:
    """Times of ``pictures``, each of which comes ``ahead`` packets after its own place."""
    times, given = PictureTimes(), []
    for place in range(len(packets) + ahead):
        if place < len(packets):
            times.on_packet(packets[place])
        if ahead <= place < len(pictures) + ahead:
            given.append(times.on_picture(pictures[place - ahead]))
    return times, given


def test_times_in_order_stay() -> None:
    packets = [0, 3, 1, 2, 6, 4, 5]
    times, given = decode(packets, sorted(packets))
    assert given == sorted(packets)
    assert times.disordered == 0


def test_a_few_late_pictures_are_left_out() -> None:
    times, given = decode([0, 1, 2, 3, 4, 5], [0, 2, 1, 3, 4, 5])
    assert given == [0, 2, None, 3, 4, 5]
    assert times.disordered == 1


def test_pictures_get_the_next_times_if_all_offsets_are_equal() -> None:
    """Each group of three is decoded as P B B and shown as B B P, and the times follow the decoding."""
    packets = list(range(300))
    pictures = [place for group in range(0, 300, 3) for place in (group + 1, group + 2, group)]
    times, given = decode(packets, pictures, ahead=4)
    shown = [pts for pts in given if pts is not None]
    assert shown == sorted(set(shown))
    assert len(shown) >= len(pictures) - LEFT_OUT - 1
    assert times.disordered > LEFT_OUT


def test_what_is_remembered_is_bounded() -> None:
    times = PictureTimes()
    for pts in range(10 * MAX_SENT):
        times.on_packet(pts)
    assert len(times._sent) == MAX_SENT
