"""Each conversion makes its file of originals in their layout, and of the real ones the very bytes."""

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.sources.dataset_sheet import UNKNOWN, read_sheet, retrieval_of
from relatask.sources.originals import conversion_records
from relatask.sources.services.conversion import write_converted
from relatask.sources.services.retrieval import Places, retrieve_file
from relatask.sources.unpacked import unpacked_sha256
from tests.helpers.r_workspace import packed

FOLDER = "RELATASK_ORIGINALS"
NODES = (
    "name\tseqid\tgeneid\tsymbol\tdescription\n"
    '1\tENSP1\t6446\tSGK1\ta "kinase"\n2\tENSP2\t54101\tRIPK4\t\n3\tENSP3\t51776\tZAK\t\n'
    "4\tENSP4\t7071\tKLF10\t\n"
)
FASTA = (
    "> CHEMBL1,CHEMBL9 [O00141] SGK1 [alpha] (Homo sapiens)\nMKV\nL\n"
    "> CHEMBL2 [P57078] RIPK4 (Homo (sapiens))\nMA\n"
    "> CHEMBL3 [X99999] other (Mus musculus)\nMW\n"
)
KIBA = packed(
    {
        "kiba": {
            "X1": ["CHEMBL1", "CHEMBL2", "CHEMBL3", "CHEMBL4"],
            "O00141": ["4", "NA", "2.5", "9"],
            "P57078": ["NA", "#NAME?", "3.00000000000001", "1"],
            "Q9NYL2": ["1e-05", "NA", "NA", "NA"],
        }
    }
)
SMILES = {
    "drug_info.csv": "CHEMBL_ID,smiles,index\nCHEMBL1,CCO,1\n",
    "ligands_iso.txt": json.dumps({"CHEMBL1": "OCC", "CHEMBL3": "C1CC1"}),
    "Dataset_PKIS.csv": "ChemblID,smiles,AKT1\nCHEMBL3,CCC,5\nCHEMBL2,CN,5\n",
}
GRAPH = packed(
    {
        "org.Hs.string": (
            *(np.array([3.0]), np.array([False]), np.array([0.0, 2.0]), np.array([1.0, 1.0])),
            *(np.array([0.0]), np.array([0.0]), np.array([0.0]), np.array([0.0])),
            (
                np.array([1.0]),
                {"date": ["today"]},
                {
                    "name": ["a", "b", "c"],
                    "seqid": ["ENSP1", "ENSP2", "ENSP3"],
                    "geneid": ["6446", "54101", "51776"],
                    "symbol": ["SGK1", "RIPK4", "ZAK"],
                    "description": ["first", "second, with commas", "third"],
                },
                {
                    **{
                        f"{channel}_score": np.array([number, 0])
                        for number, channel in enumerate(
                            ("neighborhood", "fusion", "cooccurence", "coexpression", "experimental"), start=1
                        )
                    },
                    "database_score": np.array([0, 900]),
                    "textmining_score": np.array([7, 8]),
                    "combined_score": np.array([400, 999]),
                },
            ),
        )
    }
)
ENDPOINTS = (
    "assay_component_endpoint_name,organism,intended_target_type,intended_target_family,"
    "intended_target_gene_symbol,intended_target_entrez_gene_id,intended_target_uniprot_accession_number\n"
    "A,human,protein,kinase,RIPK4|SGK1,54101|6446|54101|999,P57078|NA|O00141\n"
    "TOX21_TR,rat,protein,nuclear receptor,THRA,7071,P10827|NA\n"
)
KINASES = "SMILES,InChIKey,O00141_WT,Subset"

Case = tuple[dict[str, str | bytes], str]
CASES: dict[str, Callable[[], Case]] = {
    "kiba_scores": lambda: (
        {"kiba.rda": KIBA, **SMILES},
        "chembl_id,O00141,P57078,Q9NYL2\nCHEMBL1,4.0,,1e-05\nCHEMBL2,,,\nCHEMBL3,2.5,3.00000000000001,\n",
    ),
    "kiba_molecules": lambda: (
        {"kiba.rda": KIBA, **SMILES},
        "chembl_id,smiles,smiles_source,n_labels\nCHEMBL1,CCO,simonfqy/PADME KIBA_data/drug_info.csv,2\n"
        "CHEMBL2,CN,Team-SKI Dataset_PKIS.csv,0\nCHEMBL3,C1CC1,hkmztrk/DeepDTA ligands_iso.txt,2\n",
    ),
    "kiba_tasks": lambda: (
        {"kiba.rda": KIBA, **SMILES, "string_v9.1_human_nodes.tsv.gz": NODES},
        "task,uniprot,symbol,string_v9_ensp,n_labels,n_active_kiba_le_3,n_labels_all52498\n"
        "0,O00141,SGK1,ENSP1,2,1,3\n1,P57078,RIPK4,ENSP2,1,0,2\n2,Q9NYL2,M3K20|MAP3K20,,1,1,1\n",
    ),
    "string_edges": lambda: (
        {"org.Hs.string.RData": GRAPH},
        "protein1\tprotein2\tneighborhood_score\tfusion_score\tcooccurence_score\tcoexpression_score\t"
        "experimental_score\tdatabase_score\ttextmining_score\tcombined_score\n"
        "ENSP1\tENSP2\t1\t2\t3\t4\t5\t0\t7\t400\nENSP3\tENSP2\t0\t0\t0\t0\t0\t900\t8\t999\n",
    ),
    "string_nodes": lambda: (
        {"org.Hs.string.RData": GRAPH},
        "name\tseqid\tgeneid\tsymbol\tdescription\na\tENSP1\t6446\tSGK1\tfirst\n"
        "b\tENSP2\t54101\tRIPK4\tsecond, with commas\nc\tENSP3\t51776\tZAK\tthird\n",
    ),
    "string_v9_1_aliases": lambda: (
        {
            "HUMAN_9606_idmapping.dat.gz": "O00141\tGene_Name\tSGK1\nO00141\tGeneID\t6446\n"
            "O00141\tGeneID\t5\n"
            "A0A1\tGeneID\t6446\nP1\tGeneID\t1\n",
            "string_v9.1_human_nodes.tsv.gz": NODES,
        },
        "#string_protein_id\talias\tsource\n9606.ENSP1\tO00141\tUniProt_AC\n9606.ENSP1\tA0A1\tUniProt_AC\n",
    ),
    "toxcast_endpoints": lambda: (
        {
            "sysdata.rda": packed(
                {
                    "end_point_info": {
                        "aid": np.array([1, -(1 << 31)]),
                        "timepoint_hr": np.array([80.0, np.nan]),
                        "uniprot": ["P10827|NA", "NA"],
                        "described": ["one, two", None],
                    },
                    "tox_chemicals": {"CAS": ["50-00-0"]},
                },
                version=3,
            )
        },
        'aid,timepoint_hr,uniprot,described\n1,80.0,P10827|NA,"one, two"\n,,,\n',
    ),
    "toxcast_tasks": lambda: (
        {
            "end_point_info_invitrodb.csv.gz": ENDPOINTS,
            "string_v9.1_human_nodes.tsv.gz": NODES,
            "toxcast.csv.gz": "smiles,A,TOX21_TR,unknown\nC,1.0,,0.0\nCC,0.0,1.0,\nCCC,,,1\n",
        },
        "task,assay,uniprot,gene_symbol,target_type,target_family,organism,string_v9_ensp,n_labels,n_active\n"
        "0,A,P57078|O00141,RIPK4|SGK1,protein,kinase,human,ENSP1|ENSP2,2,1\n"
        "1,TOX21_TR,P10827,THRA,protein,nuclear receptor,rat,,1,1\n2,unknown,,,,,,,2,1\n",
    ),
    "kinase200": lambda: (
        {
            "kinase200_RGES.csv.gz": f"{KINASES},MinInterSetTd\nC,K,5.0,train,0.4\nCC,K,,test,1\n",
            "kinase200_DGBC.csv.gz": f"{KINASES},MinInterSetTd\nC,K,5.0,test,0.1\nCC,K,,train,\n",
        },
        "SMILES,InChIKey,O00141_WT,subset_cluster_DGBC,subset_random_RGES\nC,K,5.0,test,train\nCC,K,,train,test\n",
    ),
    "kinase200_tasks": lambda: (
        {
            "kinase200.csv.gz": "SMILES,InChIKey,O00141_WT,O94804_WT,subset_cluster_DGBC,subset_random_RGES\n"
            "C,K,6.5,6.49,test,train\nCC,L,,7,train,test\n",
            "string_v9.1_human_nodes.tsv.gz": NODES,
            "chembl_25.fa.gz": FASTA,
        },
        "task,uniprot,entrez,symbol,string_v9_ensp,n_labels,n_active_ge_6_5,has_sequence\n"
        "O00141_WT,O00141,6446,SGK1,ENSP1,1,1,True\nO94804_WT,O94804,,STK10,,2,1,False\n",
    ),
    "chembl_5thresh_time": lambda: (
        {
            "chembl_5thresh.csv.gz": "smiles,T1,T2\nCC,,5.10\nC,7,\nCCC,1,2\nCN,,\n",
            "chembl_5thresh_ts_train.csv.gz": "smiles,T1,T2\nC,7,\nCC,,5.10\n",
            "chembl_5thresh_ts_valid.csv.gz": "smiles,T1,T2\nCN,,\nC,7,\n",
        },
        "smiles,time_fold,T1,T2\nCC,train,,5.10\nC,train,7,\nCN,valid,,\n",
    ),
    "chembl_5thresh_tasks": lambda: (
        {
            "chembl_5thresh_time_train_valid.csv.gz": "smiles,time_fold,CHEMBL1,CHEMBL2,CHEMBL7\n"
            "C,train,6.5,,1\nCC,valid,6,7,\n",
            "chembl_uniprot_mapping.txt": '# chembl_35\nO00141\tCHEMBL1\tSgk "1"\tSINGLE PROTEIN\n'
            "P57078\tCHEMBL2\tfamily\tPROTEIN FAMILY\nP57078\tCHEMBL2\tRipk4, human\tSINGLE PROTEIN\n",
            "string_v9.1_human_nodes.tsv.gz": NODES,
            "chembl_25.fa.gz": FASTA,
        },
        "task,uniprot,name,entrez,symbol,string_v9_ensp,organism,n_labels,n_active_ge_6_5,has_sequence\n"
        'CHEMBL1,O00141,"Sgk ""1""",6446.0,SGK1,ENSP1,Homo sapiens,2,1,True\n'
        'CHEMBL2,P57078,"Ripk4, human",54101.0,RIPK4,ENSP2,,1,1,True\nCHEMBL7,,,,,,,1,0,False\n',
    ),
    "target_sequences": lambda: ({"chembl_25.fa.gz": FASTA}, ">O00141\nMKVL\n>P57078\nMA\n"),
}


def written(folder: Path, content: dict[str, str | bytes]) -> dict[str, Path]:
    """Paths of files with these contents; those that end in .gz are packed."""
    for name, body in content.items():
        raw = body.encode() if isinstance(body, str) else body
        (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return {name: folder / name for name in content}


@pytest.mark.parametrize("name", conversion_records())
def test_originals_in_their_layout_are_converted(tmp_path: Path, name: str) -> None:
    content, expected = CASES[name]()
    record = conversion_records()[name]
    assert {need.split("/")[1] for need in record.needs} == set(content)
    out = io.StringIO(newline="")
    load_file(record).convert(written(tmp_path, content), out)
    assert out.getvalue() == expected


def test_what_is_packed_twice_is_the_same_file(tmp_path: Path) -> None:
    content, expected = CASES["target_sequences"]()
    files = written(tmp_path, content)
    made = []
    for name in ("a.gz", "b.gz", "plain"):
        write_converted("target_sequences", files, tmp_path / name, packed=name != "plain")
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert gzip.decompress(made[0]) == made[2] == expected.encode()


@pytest.mark.parametrize(
    ("name", "file", "body"),
    [
        ("kiba_scores", "kiba.rda", packed({"other": ["x"]})),
        ("kiba_scores", "drug_info.csv", "CHEMBL_ID,structure\nCHEMBL1,CCO\n"),
        ("kiba_scores", "ligands_iso.txt", "{"),
        ("kiba_scores", "kiba.rda", packed({"kiba": {"X1": ["CHEMBL1"], "P1": ["a lot"]}})),
        ("string_edges", "org.Hs.string.RData", packed({"org.Hs.string": (["a"],)})),
        (
            "kinase200",
            "kinase200_DGBC.csv.gz",
            "SMILES,InChIKey,O00141_WT,Subset,MinInterSetTd\nC,K,5.1,a,b\n",
        ),
        ("target_sequences", "chembl_25.fa.gz", b""),
    ],
)
def test_other_originals_are_told_in_a_sentence(
    tmp_path: Path, name: str, file: str, body: str | bytes
) -> None:
    files = written(tmp_path, CASES[name]()[0] | {file: body})
    if not body:
        (tmp_path / file).write_bytes(gzip.compress(bytes(1000))[:-9])
    with pytest.raises(
        RelataskError, match=rf"the conversion {name} cannot read .*{file}.*; the originals are"
    ) as caught:
        write_converted(name, files, tmp_path / "out", packed=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", conversion_records())
def test_the_public_originals_give_the_published_bytes(root: Path, tmp_path: Path, name: str) -> None:
    """Of originals in the folder that RELATASK_ORIGINALS names, by the names of their files."""
    if FOLDER not in os.environ:
        pytest.skip(f"{FOLDER} names no folder with the public originals")
    folder = Path(os.environ[FOLDER])
    sheet = read_sheet(root / "config" / "datasets.tsv")
    made = next(entry for group in sheet.values() for entry in group if entry.conversion == name)
    row = retrieval_of(sheet, made.name, made.file)
    if absent := [need for need in _public(row) if not (folder / need).is_file()]:
        pytest.skip(f"{folder} does not hold {', '.join(absent)}")
    mirror = tmp_path / "mirror"
    (mirror / "originals").mkdir(parents=True)
    for need, path in _public(row).items():
        (mirror / path).parent.mkdir(exist_ok=True)
        (mirror / path).symlink_to(folder.absolute() / need)
    retrieve_file(row, Places(mirror, tmp_path / "kept"), tmp_path / made.file)
    assert made.unpacked_sha256 in (UNKNOWN, unpacked_sha256(tmp_path / made.file))


def _public(row: dict) -> dict[str, str]:
    """File -> path below a mirror of all that a file is made of and is not itself converted."""
    if not row["originals"]:
        return {row["file"]: row["path"]}
    return {file: path for need in row["originals"].values() for file, path in _public(need).items()}
