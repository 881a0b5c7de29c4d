import numpy as np

from training.eval.contact_sheet import GAP, LINE, draw_contact_sheet

ROWS = [(["car", "20 dB"], [np.zeros((4, 4, 3), np.uint8)] * 2)]


def test_a_heading_of_two_lines_stands_above_the_same_grid():
    one, two = (
        draw_contact_sheet(["input", "model"], ROWS),
        draw_contact_sheet(["input", "fast\nmodel"], ROWS),
    )
    assert len(two) == len(one) + LINE
    assert np.array_equal(two[2 * LINE + GAP :], one[LINE + GAP :])
    assert (two[:LINE] < 255).any()
