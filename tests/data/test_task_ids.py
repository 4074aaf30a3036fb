"""Task ids are safe and unique."""

import pytest

from relatask.data.task_ids import slug, task_ids


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NR-AR", "NR-AR"),
        ("Infections and infestations", "Infections_and_infestations"),
        ("Neoplasms (incl cysts, polyps)", "Neoplasms_incl_cysts_polyps"),
        ("../../etc/passwd", "etc_passwd"),
        ("--rm -rf; $(x)", "rm_-rf_x"),
        ("<script>alert(1)</script>", "script_alert_1_script"),
        ("Rückgrat", "Ruckgrat"),
        ("hERG (\u00b5M)", "hERG_uM"),  # the micro sign, and below the Greek letter
        ("hERG IC50 [\u03bcM]", "hERG_IC50_uM"),
        ("受体", "task"),
        ("", "task"),
        ("a__b", "a__b"),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_name_becomes_a_safe_slug(name, expected):
    assert slug(name) == expected


def test_collisions_are_numbered_in_order_also_when_only_the_case_differs():
    assert task_ids(["a b", "a/b", "A B", "a_b-2", "c"]) == ["a_b", "a_b-2", "A_B-3", "a_b-2-2", "c"]
