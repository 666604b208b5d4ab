# SPDX-License-Identifier: Apache-2.0
"""Fixtures: `gateway` is shared by a file's tests, `start` makes one for a single test."""

import resource
import shutil
import subprocess

import pytest

from support.certificates import Authority
from support.gateway import BINARY, OWN_MOUNTS, Gateway
from support.recorder import Recorder
from support.tls13 import Client

pytest_plugins = ["support.idp_fixtures", "support.pinned"]


def pytest_collection_finish(session):
    """One clear line instead of a failure for each test where there is nothing to test."""
    needed = any("test_support" not in item.nodeid for item in session.items)
    if needed and not BINARY.exists() and not session.config.option.collectonly:
        pytest.exit(f"{BINARY} is not there: swift build -c release --product agentport", 3)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def module_recorder():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def recorder(module_recorder):
    """The upstream of `gateway`, with nothing recorded yet and no handlers."""
    module_recorder.reset()
    return module_recorder


@pytest.fixture(scope="module")
def policy_patch():
    """What a file's shared gateway has that the ordinary one has not; files override this."""
    return {}


@pytest.fixture(scope="module")
def policy_agents():
    """The agents of a file's shared gateway, where it wants others than unused ones."""
    return None


@pytest.fixture(scope="module")
def policy_env():
    """What the environment of a file's shared gateway has besides."""
    return {}


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory, authority, module_recorder, policy_patch, policy_agents,
                   policy_env):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), authority)
    gateway.from_policy(module_recorder.url, policy_patch, policy_agents, policy_env,
                        spare_agents=0 if policy_agents else 200).start()
    yield gateway
    status = gateway.stop()
    assert status == 0, f"the gateway ended with {status}:\n{gateway.output()[-4000:]}"


@pytest.fixture
def gateway(module_gateway, recorder):
    """The file's gateway. It must outlive every test."""
    assert module_gateway.running, "an earlier test brought the gateway down"
    yield module_gateway
    assert module_gateway.running, "".join(module_gateway.errors[-20:])


@pytest.fixture
def agent(gateway):
    """An agent no other test has used: all its codes are fresh, all its counters zero."""
    return gateway.take_agent()


@pytest.fixture
def wire(gateway):
    with gateway.connect() as wire:
        yield wire


@pytest.fixture
def served(gateway):
    """Asserts that a client with this hello gets through the handshake and gets an answer."""
    def served(hello=None, **options):
        with Client(gateway.address) as client:
            client.connect(hello, **options)
            assert client.get() == 200
            return client
    return served


@pytest.fixture
def refused(gateway):
    """Asserts that this hello is refused at once, by one of these alerts."""
    def refused(hello, *alerts, **options):
        with Client(gateway.address) as client:
            client.start(hello, **options)
            assert client.refusal() in alerts
    return refused


@pytest.fixture
def client(gateway):
    """A client that has said nothing yet, not even of TLS."""
    with Client(gateway.address) as client:
        yield client


@pytest.fixture
def still_serves(served):
    """After the test, whatever it did, the next client is served."""
    yield
    served()


@pytest.fixture
def make(tmp_path_factory, authority):
    """Makes gateways that are not started yet, and ends them all after the test."""
    made = []

    def new(pair=None):
        made.append(Gateway(tmp_path_factory.mktemp("own"), authority, pair))
        return made[-1]

    yield new
    for gateway in made:
        if gateway.running:
            gateway.stop()
        assert gateway.process is None or gateway.process.returncode in (0, 1, 2, -9, -15), \
            f"crashed with {gateway.process.returncode}:\n{gateway.output()[-4000:]}"


@pytest.fixture
def start(make, recorder):
    """Starts a gateway of the test's own from a policy; its upstream is `recorder`."""
    def started(patch=None, upstream=None, pair=None, **options):
        options.setdefault("spare_agents", 4)
        return make(pair).from_policy(upstream or recorder.url, patch, **options).start()
    return started


@pytest.fixture
def start_bare(make, recorder):
    """Starts a gateway of the test's own from the environment and its secrets alone."""
    def started(env=None, pair=None, **options):
        return make(pair).from_environment(recorder.url, env, **options).start()
    return started


@pytest.fixture
def front(make):
    """Starts a gateway whose routes are all public: what it does towards its upstreams, without
    keys and codes."""
    def started(*upstreams, routes=None, workers=1, limits=None, hosts=None,
                resolver=None):
        names = [upstream["name"] for upstream in upstreams]
        patch = {
            "listen": {"limits": {"connections_per_ip": 1000, **(limits or {})}},
            "upstreams": list(upstreams), "filters": [{"use": "tls_inspector"}],
            "routes": [{"public": True, "upstream": names[0], **route}
                       for route in routes or [{"path": "/"}]]}
        env = {"AGENTPORT_WORKERS": str(workers)}
        gateway = make().from_policy(None, patch, env=env)
        files = {"/etc/hosts": hosts, "/etc/resolv.conf": resolver}
        if hosts:
            gateway.with_files({place: file for place, file in files.items() if file})
        return gateway.start()
    return started


@pytest.fixture
def recorders():
    """Makes upstreams, and ends them all after the test."""
    made = []

    def new(**options):
        made.append(Recorder(**options))
        return made[-1]

    yield new
    for recorder in made:
        recorder.close()


@pytest.fixture
def pair_of(recorders):
    return recorders(), recorders()


@pytest.fixture
def hosts(tmp_path):
    """A file that the gateway reads as /etc/hosts."""
    command = [*OWN_MOUNTS, "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    if not shutil.which("unshare") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no process may have mounts of its own here")
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost\n")
    return file


@pytest.fixture
def live(start):
    """Starts a gateway whose codes are good more than once, and makes a connection to it that
    must outlast every reload of the test."""
    wires = []

    def started(patch=None, **options):
        gateway = start({"totp": {"one_time": False}, **(patch or {})}, **options)
        wires.append(gateway.connect())
        assert wires[-1].request("GET", "/public/first").status == 200
        return gateway, wires[-1]

    yield started
    for wire in wires:
        # Whatever it says by now: it is answered, and where it always was.
        wire.request("GET", "/public/last")
        wire.close()


@pytest.fixture
def many_descriptors():
    """Enough for the clients of a test that leaves no slab of a worker free."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4400)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
