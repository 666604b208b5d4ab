// SPDX-License-Identifier: Apache-2.0
import Bytes
import COpenSSL

@testable import TLS

/// What a client that was asked for its certificate sends behind the server's flight, and the
/// certificates in it.
///
/// Nobody can seal such records without the handshake's secret, or sign what they say without the
/// transcript; so the server is given a secret that is known here, and honest messages come before
/// the hostile ones where the first byte asks for them.
enum ClientFlight {
    /// What stands in front of an input for this.
    static let mark: UInt8 = 0xC1

    private enum Kind: UInt8 {
        /// All of it is the client's messages.
        case messages
        /// They begin behind its Certificate, or its CertificateVerify.
        case behindCertificate, behindProof
        /// A leaf, and a certificate behind an honest leaf.
        case leaf, link
    }

    static func check(_ input: [UInt8], capacity: Int) {
        guard let first = input.first, let kind = Kind(rawValue: first & 7) else { return }
        let rest = Array(input.dropFirst())
        let proof = first & 8 == 0 ? vouched : pinned
        switch kind {
        case .messages, .behindCertificate, .behindProof:
            let small = outcome(rest, kind, proof, capacity: capacity)
            let large = outcome(rest, kind, proof, capacity: 16_384)
            precondition(hasFailed(small) == hasFailed(large))
        case .leaf: checkLeaf(rest, proof)
        case .link: checkLink(rest, proof)
        }
    }

    private static let pair = make { try SelfSignedCertificate(names: "DNS:client") }
    private static let credential = make {
        let (certificate, key) = (pair.certificate, pair.key)
        return try Credential(certificate: certificate.span, key: key.span)
    }
    private static let vouched = make {
        try ClientProof(isRequired: true, authorities: pair.certificate)
    }
    private static let pinned = make { try ClientProof(isRequired: false, authorities: nil) }
    private static let now = UInt64(credential.expiry - 1000)

    private static func make<Made>(_ body: () throws -> Made) -> Made {
        do { return try body() } catch { preconditionFailure("\(error)") }
    }

    // MARK: Messages

    private static func hasFailed(_ result: TLSSession.Handshake) -> Bool {
        if case .complete = result { preconditionFailure("a handshake out of thin air") }
        if case .failed = result { return true }
        return false
    }

    private static func outcome(
        _ content: [UInt8], _ kind: Kind, _ proof: ClientProof, capacity: Int
    ) -> TLSSession.Handshake {
        let context = make {
            let (certificate, key) = (pair.certificate, pair.key)
            return try TLSServerContext(
                certificate: certificate.span, key: key.span, clients: proof)
        }
        let tools = TLSTools()
        let server = ServerHandshake(context, tools, now: now, recordsPerKeyMax: 1 << 20)
        var pool = SlabPool(bound: 2)
        var input = Buffer()
        var output = Buffer()
        precondition(input.attach(from: &pool) && output.attach(from: &pool))
        defer {
            input.release(to: &pool)
            output.release(to: &pool)
        }
        input.append(array: hello)
        guard server.advance(&input, &output) == .needMore, server.authentication != nil else {
            preconditionFailure("an honest hello")
        }
        var sealing = known(isSealing: true)
        server.reading = known(isSealing: false)
        var result = TLSSession.Handshake.needMore
        func send(_ message: [UInt8], _ capacity: Int) {
            for start in stride(from: 0, to: message.count, by: capacity)
            where result == .needMore {
                let piece = Array(message[start..<min(start + capacity, message.count)])
                input.append(array: seal(piece, &sealing))
                output.clear()
                result = server.advance(&input, &output)
                input.compact()
            }
        }
        if kind != .messages {
            send(credential.message, 16_384)
            precondition(result == .needMore, "an honest certificate")
        }
        if kind == .behindProof, let authentication = server.authentication {
            send(signed(authentication.transcript, tools.engine), 16_384)
            precondition(result == .needMore && server.clientCertificate != nil)
        }
        send(content, capacity)
        return result
    }

    private static func known(isSealing: Bool) -> RecordProtection {
        let bytes = [UInt8](repeating: 7, count: 32)
        var protection = RecordProtection(.aes128GCM, Secret(bytes.span), isSealing: isSealing)
        precondition(protection.setKey())
        return protection
    }

    private static func seal(_ content: [UInt8], _ sealing: inout RecordProtection) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: content.count + TLSSession.recordOverhead)
        // SAFETY: the record has 22 bytes more than the content.
        let isSealed = unsafe record.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            return unsafe content.withUnsafeBufferPointer {
                unsafe sealing.seal($0.baseAddress, $0.count, type: 22, into: base)
            }
        }
        precondition(isSealed)
        return record
    }

    private static func signed(_ transcript: borrowing SavedTranscript, _ engine: HashEngine)
        -> [UInt8]
    {
        let context = Array("TLS 1.3, client CertificateVerify".utf8)
        var text = [UInt8](repeating: 0x20, count: 64) + context + [0]
        do {
            try engine.resume(transcript)
            let digest = try engine.digest()
            for index in 0..<digest.count { text.append(digest.bytes[index]) }
            let signature = try credential.sign(.ecdsaP256, engine.hash(.sha256, text.span))
            var message = HandshakeMessage(.certificateVerify)
            message.append(number: Int(SignatureScheme.ecdsaP256.rawValue), size: 2)
            message.vector(size: 2) { $0.append(signature.span) }
            return message.finish()
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// One suite, one group, one share: u = 9.
    private static let hello: [UInt8] = {
        var message = HandshakeMessage(.clientHello)
        message.append(number: 0x0303, size: 2)
        for byte in 0..<32 { message.append(UInt8(byte)) }
        message.append(number: 0, size: 1)
        message.vector(size: 2) { $0.append(number: 0x1301, size: 2) }
        message.vector(size: 1) { $0.append(0) }
        message.vector(size: 2) {
            $0.addExtension(ExtensionType.supportedVersions) {
                $0.vector(size: 1) { $0.append(number: 0x0304, size: 2) }
            }
            $0.addExtension(ExtensionType.supportedGroups) {
                $0.vector(size: 2) { $0.append(number: 0x1D, size: 2) }
            }
            $0.addExtension(ExtensionType.signatureAlgorithms) {
                $0.vector(size: 2) { $0.append(number: 0x0403, size: 2) }
            }
            $0.addExtension(ExtensionType.keyShare) {
                $0.vector(size: 2) {
                    $0.append(number: 0x1D, size: 2)
                    $0.vector(size: 2) {
                        $0.append(9)
                        for _ in 1..<32 { $0.append(0) }
                    }
                }
            }
        }
        let bytes = message.finish()
        return [22, 3, 1, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }()

    // MARK: Certificates

    private static func checkLeaf(_ encoded: [UInt8], _ proof: ClientProof) {
        guard let leaf = try? PeerCertificate(encoded.span) else { return }
        let text: [UInt8] = [1, 2, 3]
        for scheme in SignatureScheme.allCases {
            let isProven = (try? leaf.checkSignature(scheme, text.span, over: text.span)) != nil
            precondition(!isProven, "three bytes are no signature")
        }
        judge(leaf, [encoded], proof)
    }

    private static func checkLink(_ encoded: [UInt8], _ proof: ClientProof) {
        let message = credential.message
        guard let list = try? CertificateList(message.span),
            let place = list.entries.first
        else { preconditionFailure("an honest certificate") }
        let own = Array(message[place])
        guard let leaf = try? PeerCertificate(own.span) else { return }
        judge(leaf, [own, encoded], proof)
    }

    private static func judge(
        _ leaf: borrowing PeerCertificate, _ chain: [[UInt8]], _ proof: ClientProof
    ) {
        var message = HandshakeMessage(.certificate)
        message.append(number: 0, size: 1)
        message.vector(size: 3) {
            for link in chain {
                $0.vector(size: 3) { $0.append(link.span) }
                $0.append(number: 0, size: 2)
            }
        }
        let whole = message.finish()
        guard let list = try? CertificateList(whole.span) else { return }
        for now in [Int64(0), Int64(now), .max] {
            let judged = try? proof.judge(leaf, list, in: whole.span, now: now)
            precondition(judged.map { $0.notAfter > now } ?? true)
        }
        precondition(ERR_peek_error() == 0, "an error left behind")
    }
}
