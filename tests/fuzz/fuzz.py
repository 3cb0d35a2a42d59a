#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a libFuzzer target for ten seconds, with KDBG_TEST_LONG for ten minutes.

Usage: fuzz.py TARGET SEEDS MAX_LEN. What is found stays beside the target.
"""
import os
import subprocess
import sys
import tempfile

SECONDS = 600 if os.environ.get("KDBG_TEST_LONG") else 10


def main():
    target, seeds, max_len = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as corpus:
        # malloc_limit_mb: no small file may make it allocate much.
        # What it ends with after a finding, 77, stands for a skipped test here.
        return 0 != subprocess.run(
            [target, f"-max_total_time={SECONDS}", f"-max_len={max_len}",
             "-timeout=20", "-rss_limit_mb=1024", "-malloc_limit_mb=256",
             "-close_fd_mask=2", "-print_final_stats=1",
             f"-artifact_prefix={target}-", corpus, seeds], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
