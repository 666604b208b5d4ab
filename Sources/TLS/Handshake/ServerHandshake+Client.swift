// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What a client that was asked for its certificate sends before its Finished (RFC 8446 §4.4).
extension ServerHandshake {
    /// §4.4.3: what a client's signature covers before the transcript's hash.
    private static let signatureContext =
        [UInt8](repeating: 0x20, count: 64) + Array("TLS 1.3, client CertificateVerify".utf8) + [0]

    /// Certificate (§4.4.2).
    ///
    /// - Returns: false where the client has none, and may come without.
    func take(certificates message: [UInt8]) throws(Alert) -> Bool {
        guard let authentication else { throw .internalError }
        let list = try CertificateList(message.span)
        try add(message, to: authentication)
        guard list.entries.isEmpty else {
            authentication.shown = message
            return true
        }
        guard !authentication.proof.isRequired else { throw .certificateRequired }
        return false
    }

    /// CertificateVerify (§4.4.3). First that the client has the leaf's key, which costs one
    /// signature whoever asks; then what the certificate is worth.
    func take(proof message: [UInt8]) throws(Alert) {
        guard let authentication else { throw .internalError }
        var reader = MessageReader(HandshakeMessage.headerCount..<message.count)
        let number = try reader.number(message.span, size: 2)
        let signature = try reader.vector(message.span, size: 2, 0...0xFFFF).rest
        try reader.expectEnd()
        guard let scheme = SignatureScheme(rawValue: UInt16(truncatingIfNeeded: number)) else {
            throw .illegalParameter
        }
        let shown = authentication.shown
        authentication.shown = []
        let list = try CertificateList(shown.span)
        guard let first = list.entries.first else { throw .internalError }
        let leaf = try PeerCertificate(shown.span.extracting(first))
        try tools.engine.resume(authentication.transcript)
        let transcript = try tools.engine.digest()
        var text = Self.signatureContext
        for index in 0..<transcript.count { text.append(transcript.bytes[index]) }
        try leaf.checkSignature(
            scheme, message.span.extracting(signature), over: text.span)
        clientCertificate = try authentication.proof.judge(
            leaf, list, in: shown.span, now: Int64(clamping: now))
        try add(message, to: authentication)
    }

    private func add(
        _ message: [UInt8], to authentication: ClientAuthentication
    ) throws(Alert) {
        try tools.engine.resume(authentication.transcript)
        try tools.engine.add(message.span)
        try tools.engine.save(into: authentication.transcript)
    }

    /// What the client's Finished has to be, and the ticket for after it.
    func expectFinished(_ authentication: ClientAuthentication) throws(Alert) {
        try tools.engine.resume(authentication.transcript)
        let expected = try authentication.schedule.finished(
            under: authentication.finishedKey, tools.engine.digest())
        expectedFinished = expected
        guard let age = authentication.ticketAge else { return }
        ticket = try ticketMessage(authentication.schedule, expected, age: age.span)
    }
}
