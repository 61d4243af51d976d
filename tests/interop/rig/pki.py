# SPDX-License-Identifier: Apache-2.0
"""Certificates, made by openssl in a folder."""

import pathlib
import secrets
import subprocess

from .process import Failed


def openssl(*words) -> str:
    done = subprocess.run(["openssl", *[str(word) for word in words]], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed(f"openssl {words[0]} failed: {done.stdout}")
    return done.stdout.strip()


class Authority:
    """A CA, and certificates that it signs: NAME.pem and NAME.key in its folder."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=test CA", "-days", "2", "-keyout", folder / "ca.key",
                "-out", folder / "ca.pem")

    def issue(self, name: str, san: str, *extensions: str, rsa: bool = False) -> None:
        """extensions: lines of openssl's, such as "keyUsage=keyAgreement"."""
        folder = self.folder
        key = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", "-newkey", *key, "-nodes", "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        (folder / f"{name}.ext").write_text("\n".join((f"subjectAltName={san}", *extensions, "")))
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem",
                "-CAkey", folder / "ca.key", "-set_serial", f"0x{secrets.token_hex(16)}",
                "-days", "2",
                "-extfile", folder / f"{name}.ext", "-out", folder / f"{name}.pem")

    def path(self, file: str) -> str:
        return str(self.folder / file)
