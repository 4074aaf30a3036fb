"""Which inputs the rows of a study read, and which are made of the items of a data set; pure Python."""

from relatask.config import MethodConfig, StudyConfig
from relatask.core.errors import RelataskError
from relatask.core.extras import require_extra
from relatask.core.plugins import form_of, input_records, inputs_from, record_of
from relatask.core.registry import Capabilities, capabilities, catalogue, forms_read
from relatask.core.source_block import SourceBlock

VECTORS = "vectors"  # the form that stands for the table of any flat input


def inputs_of_row(method: MethodConfig) -> tuple[str, ...]:
    """Return the inputs that a row names; none where they are what its encoder, or method, reads anyway."""
    named = tuple(method.inputs)
    return () if forms_read(_reader(method), named) == _reader(method).inputs[:1] else named


def inputs_made(study: StudyConfig, dataset: str) -> tuple[str, ...]:
    """Return the inputs that are made of a data set: those of its source, and others that a row reads."""
    own = study.sources[study.datasets[dataset].source].inputs
    forms = {form for method in study.methods for form in forms_read(_reader(method), method.inputs)}
    return (*own, *(name for name in inputs_from(own)[len(own) :] if form_of(name) in forms))


def refuse_inputs(method: MethodConfig, where: str, source: SourceBlock) -> None:
    """Raise where what a row reads is not made of a source's items, or its reader cannot read it."""
    reader, possible = _reader(method), inputs_from(source.inputs)
    if reader.extra:
        require_extra(reader.extra, f"{where}: {'encoder' if method.encoder else 'method'} {reader.name!r}")
    forms = {form_of(name) for name in possible} | {"none"}
    for name in method.inputs:
        record_of(input_records(), name, f"input (methods.{method.label}.inputs)")
        if name not in possible:
            raise RelataskError(
                f"{where}: the input {name!r} is not made of the {source.record.items} of reader "
                f"{source.reader!r}; name some of {', '.join(possible)}."
            )
    _refuse_unread(method, where, reader)
    if not method.inputs and reader.inputs[0] not in forms:
        flat = [name for name in possible if input_records()[name].flat]
        way = "name another"
        if VECTORS in reader.inputs and flat:
            way = f"name tables of numbers that it shall read, such as inputs: [{min(flat)}]"
        itself = " by itself" if way != "name another" else ""
        raise RelataskError(
            f"{where}: encoder {reader.name!r} does not read {source.record.items}{itself}; {way}."
        )


def _refuse_unread(method: MethodConfig, where: str, reader: Capabilities) -> None:
    """Raise where an encoder, or a method without one, cannot read the inputs that its row names."""
    forms, known = [form_of(name) for name in method.inputs], input_records()
    if not forms or (len(forms) == 1 and forms[0] in reader.inputs):
        return
    if VECTORS in reader.inputs and all(known[name].flat for name in method.inputs):
        return
    kind = "encoders" if method.encoder else "methods"
    others = [one.name for one in catalogue(kind).values() if VECTORS in one.inputs]
    raise RelataskError(
        f"{where}: {kind[:-1]} {reader.name!r} reads {' or '.join(reader.inputs)} and not "
        f"{' beside '.join(method.inputs)}; {' and '.join(others)} read tables of numbers beside each other."
    )


def _reader(method: MethodConfig) -> Capabilities:
    """Return what reads the inputs of a row: its encoder, or its method where that has none."""
    if method.encoder is not None:
        return capabilities("encoders", method.encoder)
    return capabilities("methods", method.method)
