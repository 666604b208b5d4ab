// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// All that the server says up to its Finished, in one go (RFC 8446 §2), and its ticket.
extension ServerHandshake {
    /// §4.4.3: what a signature covers before the transcript's hash.
    private static let signatureContext =
        [UInt8](repeating: 0x20, count: 64) + Array("TLS 1.3, server CertificateVerify".utf8) + [0]

    func sendFlight(
        _ offer: ClientOffer, _ hello: [UInt8], _ choice: ServerChoice,
        _ schedule: consuming KeySchedule
    ) throws(Alert) {
        let engine = tools.engine
        var random = InlineArray<36, UInt8>(repeating: 0)
        try fill(&random)
        let agreement = try tools.exchange.answer(
            choice.share.group, hello.span.extracting(choice.share.range))
        let serverHello = helloMessage(
            offer, hello, choice, random.span.extracting(0..<32), agreement.share)
        try engine.add(serverHello.span)
        send(ContentType.handshake, plaintext: serverHello.span)
        sendChangeCipherSpec(offer)

        try schedule.advance(with: agreement.secret)
        let agreed = try engine.digest()
        let clientHandshake = try schedule.derive("c hs traffic", agreed)
        let serverHandshake = try schedule.derive("s hs traffic", agreed)
        let flight = try flight(offer, choice, schedule, serverHandshake)
        writing = try protection(choice.suite, serverHandshake, isSealing: true)
        try seal(ContentType.handshake, flight.span)

        let whole = try engine.digest()
        let finishedKey = try schedule.finishedKey(clientHandshake)
        reading = try protection(choice.suite, clientHandshake, isSealing: false)
        try schedule.advance(with: Secret(count: schedule.hash.count))
        clientSecret = try schedule.derive("c ap traffic", whole)
        guard writing?.rekey(try schedule.derive("s ap traffic", whole), engine) ?? false else {
            throw .internalError
        }
        let age = random.span.extracting(32..<36)
        let wantsTicket = offer.resumesWithExchange == true
        guard let proof = asked(choice) else {
            let expected = try schedule.finished(under: finishedKey, whole)
            expectedFinished = expected
            if wantsTicket { ticket = try ticketMessage(schedule, expected, age: age) }
            return
        }
        authentication = ClientAuthentication(
            proof, schedule, finishedKey: finishedKey, try engine.saved(),
            ticketAge: wantsTicket ? [age[0], age[1], age[2], age[3]] : nil)
    }

    /// What the client is asked to prove; with a ticket it has done so (§4.3.2).
    private func asked(_ choice: ServerChoice) -> ClientProof? {
        choice.identity == nil ? context.clients : nil
    }

    private func fill(_ random: inout InlineArray<36, UInt8>) throws(Alert) {
        var span = random.mutableSpan
        // SAFETY: it is filled over exactly its own size.
        let isDone = unsafe span.withUnsafeMutableBufferPointer {
            unsafe RAND_bytes($0.baseAddress, Int32($0.count)) == 1
        }
        guard isDone else { throw .internalError }
    }

    private func protection(
        _ suite: CipherSuite, _ secret: consuming Secret, isSealing: Bool
    ) throws(Alert) -> RecordProtection {
        var protection = RecordProtection(suite, secret, isSealing: isSealing)
        guard protection.setKey(tools.engine) else { throw .internalError }
        return protection
    }

    /// ServerHello (§4.1.3).
    private func helloMessage(
        _ offer: ClientOffer, _ hello: [UInt8], _ choice: ServerChoice, _ random: Span<UInt8>,
        _ share: [UInt8]
    ) -> [UInt8] {
        var message = HandshakeMessage(.serverHello)
        message.append(number: 0x0303, size: 2)
        message.append(random)
        message.appendChoice(choice.suite, sessionID: hello.span.extracting(offer.sessionID)) {
            $0.addExtension(ExtensionType.supportedVersions) { $0.append(number: 0x0304, size: 2) }
            $0.addExtension(ExtensionType.keyShare) {
                $0.append(number: Int(choice.share.group.rawValue), size: 2)
                $0.vector(size: 2) { $0.append(share.span) }
            }
            if let identity = choice.identity {
                $0.addExtension(ExtensionType.preSharedKey) {
                    $0.append(number: identity, size: 2)
                }
            }
        }
        return message.finish()
    }

    /// EncryptedExtensions, CertificateRequest where the client is asked, Certificate and
    /// CertificateVerify where no ticket stands for them, and Finished (§4.3, §4.4); added to the
    /// transcript one by one.
    private func flight(
        _ offer: ClientOffer, _ choice: ServerChoice, _ schedule: borrowing KeySchedule,
        _ secret: borrowing Secret
    ) throws(Alert) -> [UInt8] {
        let engine = tools.engine
        let certificate = context.credential.message
        var flight = extensionsMessage(offer)
        try engine.add(flight.span)
        if let request = asked(choice)?.request {
            flight += request
            try engine.add(request.span)
        }
        if let scheme = choice.scheme {
            flight.reserveCapacity(flight.count + certificate.count + 256)
            flight += certificate
            try engine.add(certificate.span)
            let proof = try proofMessage(scheme)
            flight += proof
            try engine.add(proof.span)
        }
        var finished = HandshakeMessage(.finished, capacity: 64)
        finished.append(try schedule.finished(secret, engine.digest()).span)
        let message = finished.finish()
        try engine.add(message.span)
        return flight + message
    }

    private func extensionsMessage(_ offer: ClientOffer) -> [UInt8] {
        var message = HandshakeMessage(.encryptedExtensions, capacity: 64)
        message.vector(size: 2) {
            if let code = offer.fragmentLengthCode {
                $0.addExtension(ExtensionType.maxFragmentLength) {
                    $0.append(number: Int(code), size: 1)
                }
            }
            if offer.offersProtocols {
                $0.addExtension(ExtensionType.applicationProtocols) {
                    $0.vector(size: 2) {
                        $0.vector(size: 1) { for byte in "http/1.1".utf8 { $0.append(byte) } }
                    }
                }
            }
        }
        return message.finish()
    }

    /// CertificateVerify (§4.4.3).
    private func proofMessage(_ scheme: SignatureScheme) throws(Alert) -> [UInt8] {
        let transcript = try tools.engine.digest()
        var content = Self.signatureContext
        for index in 0..<transcript.count { content.append(transcript.bytes[index]) }
        guard let hash = scheme.hash else { throw .internalError }
        let digest = try tools.engine.hash(hash, content.span)
        let signature = try context.credential.sign(scheme, digest)
        var message = HandshakeMessage(.certificateVerify)
        message.append(number: Int(scheme.rawValue), size: 2)
        message.vector(size: 2) { $0.append(signature.span) }
        return message.finish()
    }

    /// NewSessionTicket (§4.6.1). The client's Finished, which it covers, is known.
    func ticketMessage(
        _ schedule: borrowing KeySchedule, _ clientFinished: Digest, age: Span<UInt8>
    ) throws(Alert) -> [UInt8] {
        let engine = tools.engine
        var finished = HandshakeMessage(.finished, capacity: 64)
        finished.append(clientFinished.span)
        let last = finished.finish()
        try engine.add(last.span)
        let master = try schedule.derive("res master", engine.digest())
        // One ticket a connection, so that any nonce is used once.
        let nonce: [UInt8] = [0]
        let key = try engine.expand(schedule.hash, master, "resumption", nonce.span)
        let name = serverName
        let ticket = try context.tickets.seal(
            schedule.hash, key, provenAt: provenAt, serverName: name.span,
            client: context.clients.map {
                TicketKeys.Client(rules: $0.fingerprint, certificate: clientCertificate)
            })
        var message = HandshakeMessage(.newSessionTicket, capacity: 512)
        message.append(number: TLSServerContext.ticketKeySeconds, size: 4)
        message.append(age)
        message.vector(size: 1) { $0.append(nonce.span) }
        message.vector(size: 2) { $0.append(ticket.span) }
        message.append(number: 0, size: 2)
        return message.finish()
    }
}
