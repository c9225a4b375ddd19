

def test_lock_home_keeps_personal_and_payout_folders_private(tmp_path):
    lock = NightLock(tmp_path / "var")
    lock.acquire(datetime(2026, 1, 1))
    lock.release()
    modes = {folder.name: folder.stat().st_mode & 0o777 for folder in (tmp_path / "var").iterdir()}
    for name in ("landing", "warehouse", "exports", "logs"):
        assert modes[name] == 0o700
