# SPDX-License-Identifier: Apache-2.0
"""`heddle cni install`: what it puts onto a node, keeps there and takes away. The plugin runs with
nothing but that as its root, as on a node that has no library of heddle's and no shell."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from pod import SECONDS
from rig.process import Child, Failed, heddle_program, until

LIST = {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "ptp"}, {"type": "portmap"}]}
ONE = {"cniVersion": "0.4.0", "name": "net", "type": "bridge"}
LOOK = 0.5  # seconds after a change within which an installer has looked
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def expect(true, what):
    if not true:
        raise Failed(what)


class Node:
    """A folder as the root of a node."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="heddle-cni-"))
        self.bin, self.conf = self.root / "opt/cni/bin", self.root / "etc/cni/net.d"
        for folder in (self.bin, self.conf, self.root / "proc"):
            folder.mkdir(parents=True)
        self.token = self.root / "token"
        self.token.write_text("first")
        self.kubeconfig = self.root / "of-the-pod"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443",
                                                   "certificate-authority-data": "Y2E="}}],
            "users": [{"name": "u", "user": {"tokenFile": str(self.token)}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
        self.installers = []

    def words(self, verb):
        return [heddle_program(), "cni", verb, "--cni-bin-dir", self.bin,
                "--cni-conf-dir", self.conf]

    def write(self, name, config):
        (self.conf / name).write_text(json.dumps(config))

    def read(self, name):
        return json.loads((self.conf / name).read_text())

    def names(self):
        return sorted(path.name for path in self.conf.iterdir())

    def install(self, owner="somebody"):
        child = Child("cni install", [*self.words("install"), "--cni-owner", owner],
                      env={**os.environ, "PATH": PATH, "KUBECONFIG": str(self.kubeconfig)})
        self.installers.append(child)
        return child

    def check(self, *owner):
        """What is wrong, "" when all is in place."""
        done = subprocess.run([*self.words("check"), *owner], capture_output=True, text=True, timeout=SECONDS)
        expect((done.returncode == 0) == (done.stderr == ""), f"{done}")
        return done.stderr

    def wait_installed(self):
        until(lambda: self.check() == "", SECONDS, "the plugin is in place", interval=0.05)

    def entry(self, name):
        """The last plugin of a file, None while it is not heddle's."""
        last = self.read(name)["plugins"][-1]
        return last if last["type"] == "heddle-cni" else None

    def end(self, child):
        child.process.send_signal(signal.SIGTERM)
        expect(child.process.wait(SECONDS) == 0, child.log_text())

    def remove(self):
        for child in self.installers:
            child.stop()
        shutil.rmtree(self.root)


def in_root(node, *command, **environment):
    """In a mount namespace of its own, whose end takes /proc away again."""
    script = f"mount -t proc proc {node.root}/proc && exec chroot {node.root} \"$@\""
    return subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *command], timeout=SECONDS,
                          capture_output=True, text=True, env={"PATH": PATH, **environment})


def it_runs_where_there_is_no_library(node):
    node.write("10-net.conflist", LIST)
    node.install()
    node.wait_installed()
    done = in_root(node, "/opt/cni/bin/heddle-cni", CNI_COMMAND="VERSION")
    expect(done.returncode == 0 and "1.1.0" in json.loads(done.stdout)["supportedVersions"], done)
    for verb in ("STATUS", "GC"):  # else the runtime says that the node has no network
        expect(in_root(node, "/opt/cni/bin/heddle-cni", CNI_COMMAND=verb).returncode == 0, verb)
    nft = os.path.dirname(os.readlink(node.bin / "heddle-cni")) + "/nft"
    done = in_root(node, f"/opt/cni/bin/{nft}", "--version")
    expect(done.stdout.startswith("nftables"), done)


def it_comes_last_in_the_first_chain(node):
    node.write("10-net.conflist", LIST)
    node.write("20-other.conflist", LIST)
    (node.conf / "10-net.conflist").chmod(0o644)
    node.install()
    node.wait_installed()
    entry = {"type": "heddle-cni", "kubeconfig": str(node.conf / "heddle-cni.kubeconfig")}
    expect(node.read("10-net.conflist") == {**LIST, "plugins": [*LIST["plugins"], entry]},
           node.read("10-net.conflist"))
    expect((node.conf / "10-net.conflist").stat().st_mode & 0o777 == 0o644, "the mode changed")
    expect(node.read("20-other.conflist") == LIST, "a chain that the runtime does not take")


def it_waits_for_the_network_plugin(node):
    node.install()
    until(lambda: "no network configuration yet" in node.check(), SECONDS, "it says what is missing",
          interval=0.05)
    node.write("10-net.conflist", LIST)
    node.wait_installed()


def a_rewritten_chain_is_mended(node):
    node.write("10-net.conflist", LIST)
    node.install()
    node.wait_installed()
    node.write("10-net.conflist", {**LIST, "name": "newer"})
    until(lambda: node.entry("10-net.conflist"), SECONDS, "it is back", interval=0.05)
    expect(node.read("10-net.conflist")["name"] == "newer", "what was written is lost")
    # Away at once: while a tree is removed file by file, it may be mended already.
    (node.bin / "heddle-cni.d").rename(node.bin / "gone")
    node.write("05-net.conflist", LIST)  # comes first now
    until(lambda: node.entry("05-net.conflist"), SECONDS, "it is in the other", interval=0.05)
    node.wait_installed()


def a_configuration_of_one_plugin_becomes_a_list(node):
    node.write("10-net.conf", ONE)
    child = node.install()
    node.wait_installed()
    expect(node.names() == ["10-net.conf.heddle-cni", "10-net.conflist", "heddle-cni.kubeconfig"],
           node.names())
    expect(node.read("10-net.conflist")["plugins"][0] == ONE, node.read("10-net.conflist"))
    node.end(child)
    expect(node.names() == ["10-net.conf"] and node.read("10-net.conf") == ONE, node.names())


def the_token_is_kept_fresh(node):
    node.write("10-net.conflist", LIST)
    node.install()
    node.wait_installed()
    path = node.conf / "heddle-cni.kubeconfig"
    expect(path.stat().st_mode & 0o777 == 0o600, "others can read the token")
    said = node.read("heddle-cni.kubeconfig")
    expect(said["users"][0]["user"] == {"token": "first"}, said)
    expect(said["clusters"][0]["cluster"] == {"server": "https://10.0.0.1:6443",
                                              "certificate-authority-data": "Y2E="}, said)
    node.token.write_text("second\n")
    until(lambda: node.read(path.name)["users"][0]["user"]["token"] == "second", SECONDS,
          "the new token", interval=0.2)


def it_goes_and_leaves_nothing(node):
    node.write("10-net.conflist", LIST)
    node.write("20-other.conflist", LIST)
    child = node.install()
    node.wait_installed()
    node.end(child)
    expect(node.names() == ["10-net.conflist", "20-other.conflist"], node.names())
    expect(node.read("10-net.conflist") == LIST, node.read("10-net.conflist"))
    expect(not list(node.bin.iterdir()), list(node.bin.iterdir()))


def linked(node):
    return os.readlink(node.bin / "heddle-cni") if (node.bin / "heddle-cni").exists() else ""


def who_comes_later_takes_over(node):
    """As when a DaemonSet is updated: there is no moment without the plugin. The token of the pod
    that goes ends with it, so that it must not be written any more."""
    node.write("10-net.conflist", LIST)
    first = node.install()
    node.wait_installed()
    was = linked(node)
    told = node.check("--cni-owner", "newer")
    expect("is another's: 'somebody'" in told, f"ready before it is there: {told}")
    second = node.install("newer")
    until(lambda: linked(node) != was, SECONDS, "the newer one is linked", interval=0.05)
    expect(node.check("--cni-owner", "newer") == "", node.check("--cni-owner", "newer"))
    second.process.send_signal(signal.SIGSTOP)
    (node.conf / "heddle-cni.kubeconfig").write_text("of the second one")
    time.sleep(2 * LOOK)
    kept = (node.conf / "heddle-cni.kubeconfig").read_text() == "of the second one"
    second.process.send_signal(signal.SIGCONT)
    expect(kept, "the first one still writes its token")
    node.end(first)
    node.wait_installed()
    node.end(second)
    expect(node.names() == ["10-net.conflist"] and not list(node.bin.iterdir()), node.names())


def an_update_that_is_taken_back_leaves_the_first(node):
    node.write("10-net.conflist", LIST)
    first = node.install()
    node.wait_installed()
    was = linked(node)
    second = node.install()
    until(lambda: linked(node) != was, SECONDS, "the newer one is linked", interval=0.05)
    node.end(second)
    node.wait_installed()
    node.end(first)
    expect(node.names() == ["10-net.conflist"] and not list(node.bin.iterdir()), node.names())


def all_cases():
    for test in (it_runs_where_there_is_no_library, it_comes_last_in_the_first_chain,
                 it_waits_for_the_network_plugin, a_rewritten_chain_is_mended,
                 a_configuration_of_one_plugin_becomes_a_list, the_token_is_kept_fresh,
                 it_goes_and_leaves_nothing, who_comes_later_takes_over,
                 an_update_that_is_taken_back_leaves_the_first):
        def run(test=test):
            node = Node()
            try:
                test(node)
            finally:
                node.remove()
        yield "cni install: " + test.__name__.replace("_", " "), run
