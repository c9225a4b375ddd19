"""`sql`: what is answered how, and that nothing but the snapshot is in reach."""

import csv
import io
import json

import pytest
from cli_world import run_cli, run_process, write_home

from orchestration import sql_shell
from orchestration.sql_output import PRINTERS
from orchestration.sql_shell import Output, converse, opened


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return write_home(tmp_path_factory.mktemp("sql") / "var")


def test_rows_are_a_table_with_the_day_they_are_of(home):
    query = "select partner_id, 12 as n from dim_partners where partner_id = 'p1'"
    told = run_cli("sql", query, home=home)
    lines = [line.split() for line in told.out.splitlines()]
    assert (told.code, lines[0]) == (0, ["1", "row,", "as", "of", "2026-02-28"])
    assert lines[1] == ["partner_id", "n"]
    assert lines[3] == ["p1", "12"]


def test_a_table_that_does_not_fit_is_a_list_of_columns(home):
    told = run_cli("sql", "select 'x' as a, repeat('y', 300) as b", home=home)
    assert f"  a  x\n  b  {'y' * 300}\n" in told.out


def test_prefixed_tables_and_several_statements_work(home):
    told = run_cli("sql", "select 1 as one; select count(*) as n from marts.fct_leads", home=home)
    assert told.code == 0
    assert told.out.count("as of 2026-02-28") == 2


def test_json_is_exact_and_csv_is_for_spreadsheets(home):
    query = (
        "select 1::bigint as n, 1.50::decimal(9, 2) as d, null as e, true as b, "
        "timestamp '2026-01-02 03:04:05' as t, date '2026-01-02' as o, '=1+1' as f, [1, 2] as l"
    )
    told = run_cli("sql", query, "--json", home=home)
    assert json.loads(told.out) == [
        {"n": 1, "d": "1.50", "e": None, "b": True, "t": "2026-01-02T03:04:05Z",
         "o": "2026-01-02", "f": "=1+1", "l": [1, 2]},
    ]  # fmt: skip
    told = run_cli("sql", query, "--csv", home=home)
    assert [*csv.reader(io.StringIO(told.out))][1] == [
        "1", "1.50", "", "true", "2026-01-02 03:04:05", "2026-01-02", "'=1+1", "[1, 2]",
    ]  # fmt: skip
    assert run_cli("sql", "select -5 as n, '-5' as t", "--csv", home=home).out == "n,t\n-5,'-5\n"
    assert run_cli("sql", "select 1 where false", "--json", home=home).records == []


@pytest.mark.parametrize("rows", [0, 99, 100, 101, 2_500])
def test_a_limit_is_said_and_files_of_rows_have_none(home, rows):
    query = f"select i from range({rows}) as r(i)"
    told = run_cli("sql", query, home=home)
    assert ("Only the first 100 rows are shown" in told.err) == (rows > 100)
    assert len(run_cli("sql", query, "--json", home=home).records) == rows
    told = run_cli("sql", query, "--csv", "--limit", "7", home=home)
    assert len(told.out.splitlines()) == 1 + min(rows, 7)
    assert ("Only the first 7 rows" in told.err) == (rows > 7)
    assert run_cli("sql", query, "--limit", "0", home=home).err == ""


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "select * from glob('/*')",
        "copy dim_partners to '{file}.out'",
        "copy (select 1) to '{file}.out' (format parquet)",
        "export database '{file}.out'",
        "attach '{file}.out' as other",
        "attach '{home}/warehouse/partnerledger.duckdb' as night",
        "install httpfs",
        "load httpfs",
        "select * from read_parquet('https://host.example/x.parquet')",
        "set enable_external_access = true",
        "set memory_limit = '64GB'",
        "reset lock_configuration",
        "set temp_directory = '{file}.out'",
        "insert into dim_partners select * from dim_partners",
        "update dim_partners set name = 'x'",
        "drop table fct_leads",
        "create table marts.mine as select 1",
        "alter table fct_leads add column x int",
    ],
)
def test_nothing_but_the_snapshot_is_in_reach(home, tmp_path, statement):
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nplugh\n", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    told = run_cli("sql", statement.format(file=secret, home=home), home=home)
    assert told.code == 1
    assert "plugh" not in told.out + told.err
    assert told.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("select * from nowhere", "Table with name nowhere does not exist!"),
        ("selec 1", 'syntax error at or near "selec" (line 1: selec 1)'),
        ("select 1;\nselect nothing\nfrom fct_leads", "(line 3: "),
        ("select cast('x' as int)", "Could not convert string 'x' to INT32"),
        ("select 'open", "unterminated quoted string"),
        (".nothing", "there is no .nothing"),
    ],
)
def test_an_error_is_one_clear_line(home, statement, says):
    told = run_cli("sql", statement, home=home)
    assert (told.code, told.err.count("\n")) == (1, 1)
    assert told.err.startswith("partnerledger: ")
    assert says in told.err


def test_json_and_csv_answer_one_statement_with_distinct_names(home):
    told = run_cli("sql", "select 1; select 2", "--json", home=home)
    assert "--json answers one statement, and these are 2" in told.err
    told = run_cli("sql", "select 1 as a, 2 as a", "--json", home=home)
    assert "two columns are called a" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    "arguments",
    [("select 1", "--json", "--csv"), ("select 1", "--file", "x.sql"), ("x", "--limit", "-1")],
)
def test_wrong_usage_is_refused(home, arguments):
    assert run_cli("sql", *arguments, home=home).code == 2


def test_statements_come_from_a_file_or_standard_input(home, tmp_path):
    file = tmp_path / "two.sql"
    file.write_text("-- a comment; with a semicolon\nselect 41 + 1 as n;\n", encoding="utf-8")
    assert "42" in run_cli("sql", "--file", str(file), home=home).out
    told = run_cli("sql", "--file", str(tmp_path / "none.sql"), home=home)
    assert told.err.count("\n") == 1 and "none.sql cannot be read" in told.err
    assert run_process("sql", home=home).code == 0, "nothing on standard input is no question"


def test_what_could_steer_a_terminal_is_shown_as_its_code(home):
    told = run_cli("sql", "select chr(27) || '[2J' || chr(8238) as a", home=home)
    assert "\x1b" not in told.out
    assert "\\x1b[2J\\x202e" in told.out


def test_a_wrong_memory_limit_names_its_variable(home):
    told = run_cli("sql", "select 1", home=home, PARTNERLEDGER_MEMORY_LIMIT="lots")
    assert "PARTNERLEDGER_MEMORY_LIMIT='lots' is not a size" in told.err


def test_a_conversation_goes_on_after_an_error(home, monkeypatch, capsys):
    typed = iter(
        ["select 1 as one", "  + 1 as two;", "select one", ";", "select 'a;", "b' as t;", "",
         ".tables", ".describe dim_partners", "interrupted", ".quit", "select 3 as three;"]
    )  # fmt: skip

    def read(prompt):
        line = next(typed)
        if line == "interrupted":
            raise KeyboardInterrupt
        return line

    monkeypatch.setattr("builtins.input", read)
    with opened(home, Output("table", 100)) as shell:
        converse(shell)
    said = capsys.readouterr()
    assert "Snapshot 2026-02-28-0001, as of 2026-02-28." in said.out
    assert "marts.dim_partners" in said.out and "column_name" in said.out
    assert "a;\nb" in said.out
    assert said.err.count("\n") == 2, "a statement that is none, a column that is none"
    assert next(typed) == "select 3 as three;", "nothing is read after .quit"


def test_every_form_has_a_printer():
    assert set(PRINTERS) == {"table", "csv", "json"}
    assert sql_shell.DEFAULT_MEMORY == "2GB"
