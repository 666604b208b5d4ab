// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Glibc
import Reactor
import TLS
import TestSupport
import Testing

/// Whom a client believes, and what it says of the others.
@Suite("Trust in servers")
struct ClientTrustTests {
    private static let authority = ThrowAwayIdentity.make(name: "authority", isAuthority: true)

    // MARK: Authorities

    @Test func believesWhomTheAuthorityVouchesFor() throws {
        let leaf = ThrowAwayIdentity.make(issuer: Self.authority)
        let link = try ClientLink(.make(trust: Self.authority.authority), .make(leaf))
        #expect(link.isComplete)
    }

    @Test func believesACertificateThatIsItsOwnAuthority() throws {
        let identity = ThrowAwayIdentity.ecdsa
        #expect(try ClientLink(.make(trust: identity.authority), .make(identity)).isComplete)
    }

    @Test func anyOfSeveralAuthoritiesWillDo() throws {
        let text = ThrowAwayIdentity.rsa.certificate + ThrowAwayIdentity.ecdsa.certificate
        let context = try TLSClientContext.make(trust: .authorities(Array(text.utf8)))
        for identity in [ThrowAwayIdentity.ecdsa, .rsa] {
            #expect(try ClientLink(context, .make(identity)).isComplete)
        }
    }

    @Test(arguments: ["other", "claw.example", "law"])
    func refusesAnotherName(name: String) throws {
        let identity = ThrowAwayIdentity.ecdsa
        let context = try TLSClientContext.make(name, trust: identity.authority)
        expectRefusal(try ClientLink(context, .make(identity)), "hostname mismatch")
    }

    @Test func refusesAnotherAddress() throws {
        let made = try SelfSignedCertificate(names: "IP:127.0.0.1")
        let trust = TLSTrust.authorities(made.certificate)
        let server = try TLSServerContext(certificate: made.certificate.span, key: made.key.span)
        #expect(try ClientLink(.make("127.0.0.1", trust: trust), server).isComplete)
        let link = try ClientLink(.make("127.0.0.2", trust: trust), server)
        expectRefusal(link, "IP address mismatch")
    }

    @Test func refusesACertificateThatOnlyVouchesForItself() throws {
        let context = try TLSClientContext.make(trust: Self.authority.authority)
        expectRefusal(try ClientLink(context, .make(.ecdsa)), "self-signed certificate")
    }

    @Test func refusesWhomAnotherAuthorityVouchesFor() throws {
        let other = ThrowAwayIdentity.make(name: "other authority", isAuthority: true)
        let link = try ClientLink(
            .make(trust: Self.authority.authority),
            .make(.make(issuer: other)))
        expectRefusal(link, "unable to get local issuer certificate")
    }

    @Test func refusesWhomAnImpostorOfTheAuthorityVouchesFor() throws {
        let impostor = ThrowAwayIdentity.make(name: "authority", isAuthority: true)
        let link = try ClientLink(
            .make(trust: Self.authority.authority), .make(.make(issuer: impostor)))
        expectRefusal(link, "certificate signature failure")
    }

    @Test func refusesAnExpiredCertificate() throws {
        let identity = ThrowAwayIdentity.make(seconds: -30, issuer: Self.authority)
        let link = try ClientLink(.make(trust: Self.authority.authority), .make(identity))
        expectRefusal(link, "certificate has expired")
    }

    private static let cutOff = "-----BEGIN CERTIFICATE-----\nAAAA\n"

    @Test(arguments: ["", "nothing", cutOff, ThrowAwayIdentity.ecdsa.certificate + cutOff])
    func authoritiesThatCannotBeReadAreRefused(text: String) {
        #expect(throws: TLSFault.self) {
            try TLSClientContext.make(trust: .authorities(Array(text.utf8)))
        }
    }

    @Test(arguments: ["", String(repeating: "n", count: 256)])
    func aNameThatIsNoneIsRefused(name: String) {
        #expect(throws: TLSFault.self) { try TLSClientContext.make(name) }
    }

    // MARK: The system's

    @Test func theSystemsAuthoritiesVouchForNoStranger() throws {
        let context = try TLSClientContext.make(trust: .system)
        expectRefusal(try ClientLink(context, .make(.ecdsa)), "self-signed certificate")
    }

    @Test func theSystemsAuthoritiesAreWhereTheEnvironmentSays() throws {
        let folder = try Files.makeTemporaryFolder(prefix: "agentport-test")
        let path = folder + "/authorities.pem"
        defer {
            Files.remove(path)
            Files.removeFolder(folder)
        }
        try Files.replace(path, with: Array(Self.authority.certificate.utf8), mode: 0o600)
        // No other test reads this variable, or looks for what this one puts there.
        unsafe setenv("SSL_CERT_FILE", path, 1)
        let leaf = ThrowAwayIdentity.make(issuer: Self.authority)
        #expect(try ClientLink(.make(trust: .system), .make(leaf)).isComplete)
        let link = try ClientLink(.make("other", trust: .system), .make(leaf))
        expectRefusal(link, "hostname mismatch")
    }

    // MARK: What else is refused

    @Test func aServerWithoutThisVersionIsNamedSo() throws {
        let client = try End(TLSClientContext.make())
        let server = try OpenSSLServer(versionMax: TLS1_2_VERSION)
        let outcome = client.shakeHands(with: server)
        #expect(outcome == .failed(.handshake(reason: "alert from the peer: protocol version")))
    }

    /// RFC 8446 §4.2.1: one that ignores `supported_versions` goes on with TLS 1.2.
    @Test func aServerHelloOfAnOlderVersionIsNamedSo() throws {
        let client = try End(TLSClientContext.make())
        _ = client.handshake([])
        var hello: [UInt8] = [2, 0, 0, 38, 3, 3] + [UInt8](repeating: 7, count: 32)
        hello += [0, 0xC0, 0x2B, 0]
        let record: [UInt8] = [22, 3, 3, 0, UInt8(hello.count)] + hello
        let outcome = client.handshake(record)
        #expect(outcome == .failed(.handshake(reason: "peer does not speak TLS 1.3")))
    }

    @Test func plaintextIsNamedSo() throws {
        let client = try End(TLSClientContext.make())
        _ = client.handshake([])
        let outcome = client.handshake(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        #expect(outcome == .failed(.handshake(reason: "peer does not speak TLS")))
    }

    /// With TLS 1.3 a client hears of it only after its own handshake is done.
    @Test func aServerThatWantsACertificateIsNamedSo() throws {
        let client = try End(TLSClientContext.make())
        let server = try OpenSSLServer(asksForCertificate: true)
        #expect(client.shakeHands(with: server) == .complete(resumed: false))
        guard case .failed(let fault) = client.read().last else {
            Issue.record("the client goes on")
            return
        }
        #expect(fault.reason.hasPrefix("alert from the peer:"), "\(fault)")
        #expect(fault.reason.contains("certificate required"), "\(fault)")
    }
}

/// The client has refused the server's certificate, and has told why.
func expectRefusal(
    _ link: ClientLink, _ reason: String, _ location: SourceLocation = #_sourceLocation
) {
    let fault = TLSFault.handshake(reason: reason)
    #expect(link.clientOutcome == .failed(fault), sourceLocation: location)
    #expect(!link.isComplete, sourceLocation: location)
    guard case .failed = link.serverOutcome else {
        Issue.record("the server was not told: \(link.serverOutcome)", sourceLocation: location)
        return
    }
}
