"""The corpus of the messages' fuzzer: what it begins with must be messages."""
import pathlib

import pytest

from records import TABLE, decode

CORPUS = pathlib.Path(__file__).parents[1] / "fuzz/corpus/message"


@pytest.mark.parametrize("type_", TABLE)
def test_the_corpus_has_each_message(type_):
    message = decode((CORPUS / type_.lower()).read_bytes())
    assert message.type == type_
