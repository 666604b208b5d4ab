# SPDX-License-Identifier: Apache-2.0
"""TLS clients that others wrote, each through its suites, groups, tickets and new keys.

OpenSSL, curl and Python are always there; GnuTLS, Node and Java are tried where they are.
"""

import json
import re
import shutil
import ssl
import subprocess
import threading

import pytest

from support.waiting import wait_until
from support.wire import Wire

REQUEST = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
GROUPS = ["X25519", "P-256", "P-384"]
with_gnutls = pytest.mark.skipif(not shutil.which("gnutls-cli"), reason="gnutls-cli is not there")
with_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not there")
with_java = pytest.mark.skipif(not shutil.which("java"), reason="java is not there")


def s_client(gateway, *arguments):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-servername",
               "localhost", "-verify_return_error", "-CAfile", str(gateway.authority.path)]
    return subprocess.run([*command, "-ign_eof", *arguments], input=REQUEST, text=True,
                          capture_output=True, timeout=20)


# OpenSSL.

@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("group", GROUPS)
def test_openssl_with_every_suite_and_group(gateway, tmp_path, suite, group):
    ticket = str(tmp_path / "session.pem")
    options = ["-ciphersuites", suite, "-groups", group]
    first = s_client(gateway, *options, "-sess_out", ticket).stdout
    assert f"New, TLSv1.3, Cipher is {suite}" in first
    assert "HTTP/1.1 200" in first
    second = s_client(gateway, *options, "-sess_in", ticket).stdout
    assert f"Reused, TLSv1.3, Cipher is {suite}" in second
    assert "HTTP/1.1 200" in second


@pytest.mark.parametrize("options", [
    ("-no_middlebox",), ("-record_padding", "512"), ("-max_send_frag", "512"),
    ("-groups", "P-521:P-384:X25519"), ("-groups", "X448:P-256"), ("-sigalgs", "ECDSA+SHA256"),
    ("-alpn", "h2,http/1.1"), ("-status",), ("-maxfraglen", "1024"), ("-noservername",),
    ("-no_ticket",)], ids=" ".join)
def test_openssl_with_options(gateway, options):
    options = options if "-noservername" in options else ("-servername", "claw.example.com",
                                                          *options)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile",
               str(gateway.authority.path), "-ign_eof", *options]
    shown = subprocess.run(command, input=REQUEST, capture_output=True, text=True, timeout=20)
    assert "HTTP/1.1 200" in shown.stdout, shown.stderr[-2000:]


@pytest.mark.parametrize("letter", ["K", "k"], ids=["requested back", "one way"])
def test_openssl_changes_its_keys(gateway, letter):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-servername",
               "localhost", "-CAfile", str(gateway.authority.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as client:
        said, shown = [], []
        readers = [threading.Thread(target=lambda stream=stream, into=into: into.extend(
            iter(lambda: stream.read(1), "")), daemon=True)
            for stream, into in ((client.stderr, said), (client.stdout, shown))]
        for reader in readers:
            reader.start()
        try:
            for count in range(1, 4):
                client.stdin.write(letter + "\n")
                client.stdin.flush()
                wait_until(lambda n=count: "".join(said).count("KEYUPDATE") >= n,
                           what="the client to have sent KeyUpdate")
            client.stdin.write(REQUEST)
            client.stdin.flush()
            wait_until(lambda: "HTTP/1.1 200" in "".join(shown), what="an answer under new keys")
        finally:
            client.kill()
            for reader in readers:
                reader.join(5)


@pytest.mark.parametrize("options", [("-tls1_2",), ("-tls1_1",), ("-tls1_2", "-no_ticket"),
                                     ("-groups", "P-521"), ("-sigalgs", "RSA+SHA256"),
                                     ("-ciphersuites", "TLS_AES_128_CCM_SHA256"),
                                     ("-alpn", "h2")], ids=" ".join)
def test_openssl_is_refused_what_is_not_offered(gateway, options):
    result = s_client(gateway, *options)
    assert result.returncode != 0
    assert "HTTP/1.1" not in result.stdout


# curl.

@pytest.mark.parametrize("suite", SUITES)
def test_curl_with_every_suite(gateway, suite):
    result = gateway.curl("/healthz", "--tls13-ciphers", suite)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "200"), result


@pytest.mark.parametrize("group", GROUPS)
def test_curl_with_every_group(gateway, group):
    result = gateway.curl("/healthz", "--curves", group)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "200"), result


def test_curl_resumes(gateway):
    """Two transfers, two connections, and a certificate in the first of them alone."""
    result = gateway.curl("/healthz", "-v", "-H", "Connection: close", gateway.url + "/healthz")
    assert result.returncode == 0, result
    assert result.stderr.count("SSL connection using TLSv1.3") == 2
    assert result.stderr.count("CERT verify (15)") == 1


# Python.

@pytest.mark.parametrize("curve", ["X25519", "prime256v1", "secp384r1"])
def test_python_with_every_group_and_a_ticket(gateway, curve):
    context = gateway.context()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if curve != "X25519":
        context.set_ecdh_curve(curve)
    session = None
    for resumed in (False, True):
        with Wire(gateway.address, context, session=session) as wire:
            assert wire.request("GET", "/healthz").status == 200
            assert wire.socket.session_reused == resumed
            session = wire.socket.session


def test_python_gives_up_on_another_name(gateway):
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(gateway.address, gateway.context(), server_name="other.example")
    assert gateway.request("GET", "/healthz").status == 200


# GnuTLS.

def gnutls(gateway, priority, *arguments, text=REQUEST):
    command = ["gnutls-cli", "--x509cafile", str(gateway.authority.path), "--sni-hostname",
               "localhost", "--verify-hostname", "localhost", "--alpn", "http/1.1",
               "-p", str(gateway.port), "127.0.0.1",
               "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3" + priority]
    return subprocess.run([*command, *arguments], input=text, capture_output=True, text=True,
                          timeout=20)


@with_gnutls
@pytest.mark.parametrize("cipher", ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"])
@pytest.mark.parametrize("group", ["X25519", "SECP256R1", "SECP384R1"])
def test_gnutls_with_every_suite_and_group(gateway, cipher, group):
    shown = gnutls(gateway, f":-CIPHER-ALL:+{cipher}:-GROUP-ALL:+GROUP-{group}").stdout
    assert "HTTP/1.1 200" in shown
    assert re.search(rf"TLS1\.3.*{group}.*{cipher}", shown), shown


@with_gnutls
def test_gnutls_resumes(gateway):
    shown = gnutls(gateway, "", "--resume").stdout
    assert "This is a resumed session" in shown


@with_gnutls
@pytest.mark.parametrize("priority", [":-GROUP-ALL:+GROUP-SECP521R1:+GROUP-SECP384R1",
                                      ":-GROUP-ALL:+GROUP-X448:+GROUP-X25519"])
def test_gnutls_is_asked_for_another_share(gateway, priority):
    assert "HTTP/1.1 200" in gnutls(gateway, priority, "--single-key-share").stdout


@with_gnutls
def test_gnutls_changes_its_keys(gateway):
    shown = gnutls(gateway, "", "--inline-commands", text="^rekey^\n^rekey1^\n" + REQUEST).stdout
    assert shown.count("Rekey was completed") == 2
    assert "HTTP/1.1 200" in shown


# Node.

NODE = """
const tls = require('tls'), fs = require('fs');
const [port, ca, ciphers, curve] = process.argv.slice(1);
let left = 2, seen = [];
function go(session) {
  const s = tls.connect({host: '127.0.0.1', port, servername: 'localhost', session,
      ca: fs.readFileSync(ca), ciphers, ecdhCurve: curve, minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1']}, () => s.write(
      'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'));
  let ticket, text = '';
  s.on('session', t => { ticket = t; });
  s.on('data', d => { text += d; });
  s.on('end', () => {
    seen.push([text.split(' ')[1], s.isSessionReused(), s.getCipher().name, s.alpnProtocol]);
    if (--left) go(ticket); else console.log(JSON.stringify(seen));
  });
  s.on('error', e => { console.error(e); process.exit(1); });
}
go();
"""


@with_node
@pytest.mark.parametrize("suite, curve", [*zip(SUITES, ("X25519", "P-256", "P-384")),
                                          (SUITES[1], "X448:P-384")])
def test_node_with_a_ticket(gateway, suite, curve):
    result = subprocess.run(
        ["node", "-e", NODE, str(gateway.port), str(gateway.authority.path), suite, curve],
        capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [["200", reused, suite, "http/1.1"]
                                         for reused in (False, True)]


# Java, whose TLS is its own.

JAVA = """
import java.io.*; import java.net.*; import java.security.*; import java.security.cert.*;
import javax.net.ssl.*;
class Get {
  public static void main(String[] a) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream in = new FileInputStream(a[1])) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509")
          .generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(null, trust.getTrustManagers(), null);
    HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
    for (int i = 0; i < 3; i++) {
      HttpsURLConnection c = (HttpsURLConnection)
          new URL("https://localhost:" + a[0] + "/healthz").openConnection();
      c.setRequestProperty("Connection", "close");
      System.out.println(c.getResponseCode() + " " + c.getCipherSuite());
      c.getInputStream().readAllBytes();
    }
  }
}
"""


@with_java
@pytest.mark.parametrize("group", ["x25519", "secp384r1"])
def test_java(gateway, tmp_path, group):
    source = tmp_path / "Get.java"
    source.write_text(JAVA)
    result = subprocess.run(
        ["java", f"-Djdk.tls.namedGroups={group}", str(source), str(gateway.port),
         str(gateway.authority.path)], capture_output=True, text=True, timeout=50)
    if "compiler" in result.stderr:
        pytest.skip("java has no compiler here")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["200"] * 3, result.stderr
