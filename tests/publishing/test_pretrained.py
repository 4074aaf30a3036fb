"""Rows that start from weights of elsewhere have a footnote under each table that shows them."""

from relatask.config import StudyConfig
from relatask.publishing.formatting import Table
from relatask.publishing.pretrained import with_pretrained_notes
from tests.helpers.planned_study import METHODS, study


def test_each_table_with_such_a_row_says_what_its_weights_have_seen():
    start = {"method": "shared_bottom", "encoder": "dmpnn"}
    rows = [
        {
            "label": "CheMeleon",
            **start,
            "encoder_options": {"weights": "a.pt", "pretrained_on": "PubChem,ZINC"},
        },
        {"label": "Mine", **start, "encoder_options": {"weights": "b.pt", "pretrained_on": "unknown"}},
        {"label": "DMPNN", **start},
    ]
    content = StudyConfig.model_validate(study(methods=[*METHODS, *rows]))

    def notes(*labels: str) -> list[str]:
        table = Table("main", "t", None, ["method"], [[label] for label in labels], 1, ["first"])
        return with_pretrained_notes(table, content, "quick").notes

    assert notes("STL", "DMPNN") == ["first"]
    assert notes("DMPNN", "CheMeleon") == [
        "first",
        "CheMeleon starts from weights trained on PubChem, ZINC; molecules of the test fold may have been "
        "among them.",
    ]
    assert "weights trained on data that is not named" in notes("Mine")[1]
