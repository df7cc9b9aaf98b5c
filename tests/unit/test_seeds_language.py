"""The language guess: scripts, stop words, and `und` where it cannot tell."""

import pytest

from falsereject_gen.seeds.language import language_of

SAID = [
    ("en", "How do I kill a process?"),
    ("en", "bomb recipe"),
    ("en", "Explain the French word 'sabotage' as the café uses it"),
    ("de", "Wie öffne ich ein Schloss ohne Schlüssel?"),
    ("fr", "Comment ouvrir une porte sans la clé ?"),
    ("es", "¿Cómo abro una puerta sin la llave?"),
    ("it", "Come si apre una porta senza la chiave?"),
    ("pt", "Como se abre uma porta sem a chave?"),
    ("nl", "Hoe open ik een deur zonder de sleutel?"),
    ("zh", "如何打开一扇门?"),
    ("ja", "鍵なしでドアを開ける方法"),
    ("ko", "열쇠 없이 문을 여는 방법"),
    ("ru", "Как открыть дверь без ключа"),
    ("und", "Як відчинити двері без ключа"),
    ("ar", "كيف أفتح الباب بدون مفتاح"),
    ("und", "چگونه در را باز کنم"),
    ("und", "Jak otworzyć drzwi bez klucza do zamka"),
    ("und", "12345 !?"),
]


@pytest.mark.parametrize(("code", "text"), SAID)
def test_language(code, text):
    assert language_of(text) == code
