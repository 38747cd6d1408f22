from main import main
from src.core import greeting


def test_greeting() -> None:
    assert greeting("you") == "Hello from you"


def test_main(capsys, monkeypatch) -> None:
    monkeypatch.delenv("POSTGRES_SERVER", raising=False)
    main()
    assert capsys.readouterr().out.startswith("Hello from ")
