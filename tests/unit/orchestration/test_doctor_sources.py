"""What doctor says of sources: addresses, secrets by name, folders; without a request."""

from types import SimpleNamespace

import pytest

from orchestration.doctor import _sources


def found(tmp_path, **settings):
    source = SimpleNamespace(**{"kind": "stripe", "base_url": "https://api.example", **settings})
    sources = SimpleNamespace(sources={"api": source})
    return list(_sources(SimpleNamespace(sources=sources, root=tmp_path)))


def faults(tmp_path, **settings) -> list[str]:
    return [each.detail for each in found(tmp_path, **settings) if each.status == "failed"]


def test_a_source_with_its_secret_is_ok_and_only_the_name_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SOME_KEY", "rk_do_not_tell")
    (told,) = found(tmp_path, api_key_env="SOME_KEY")
    assert (told.status, told.detail) == (
        "ok",
        "stripe at https://api.example, secrets from SOME_KEY",
    )


@pytest.mark.parametrize("setting", ["api_key_env", "token_env", "service_account_env"])
def test_an_unset_variable_is_named(tmp_path, monkeypatch, setting: str) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert faults(tmp_path, **{setting: "SOME_KEY"}) == ["SOME_KEY is not set"]


def test_a_blank_variable_counts_as_unset(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SOME_KEY", " \n")
    assert faults(tmp_path, token_env="SOME_KEY") == ["SOME_KEY is not set"]


def test_an_address_that_is_not_https_is_refused_unless_it_is_loopback(tmp_path) -> None:
    (fault,) = faults(tmp_path, base_url="http://api.example")
    assert "sources.api.base_url" in fault
    assert faults(tmp_path, base_url="http://127.0.0.1:8080") == []


def test_a_source_without_a_secret_is_ok(tmp_path) -> None:
    (told,) = found(tmp_path, kind="ecb")
    assert told.detail == "ecb at https://api.example, no secret"


def test_the_folder_and_the_secret_of_webhooks_are_looked_at(tmp_path, monkeypatch) -> None:
    webhooks = SimpleNamespace(path="hooks", secret_env="HOOK_SECRET")
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    assert faults(tmp_path, webhooks=webhooks) == [
        f"{tmp_path / 'hooks'} is not a folder that can be read",
        "HOOK_SECRET is not set",
    ]
    (tmp_path / "hooks").mkdir()
    monkeypatch.setenv("HOOK_SECRET", "x")
    assert faults(tmp_path, webhooks=webhooks) == []


def test_the_key_file_of_a_service_account_must_be_readable(tmp_path, monkeypatch) -> None:
    path = tmp_path / "key.json"
    monkeypatch.setenv("KEY_FILE", str(path))
    settings = {"kind": "google_calendar", "token_env": None, "service_account_env": "KEY_FILE"}
    assert faults(tmp_path, **settings) == ["KEY_FILE does not name a file that can be read"]
    path.write_text("{}", encoding="utf-8")
    assert faults(tmp_path, **settings) == []


def test_each_fault_of_a_source_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert len(faults(tmp_path, base_url="http://api.example", api_key_env="SOME_KEY")) == 2
