// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// What is chosen of a client's offer (RFC 8446 §4.1.1).
struct ServerChoice {
    let suite: CipherSuite
    let share: ClientOffer.Share
    /// How the certificate's key signs; `nil` where a ticket stands for the certificate.
    let scheme: SignatureScheme?
    /// The ticket's place in the client's list.
    let identity: Int?
}

extension ServerHandshake {
    /// RFC 8446 §4.1.3: the random of a ServerHello that asks for another hello.
    private static let retryRandom: [UInt8] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8,
        0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8,
        0x33, 0x9C,
    ]

    /// Answers a ClientHello.
    ///
    /// - Returns: false where another one was asked for.
    func answer(_ hello: [UInt8]) throws(Alert) -> Bool {
        let offer = try ClientOffer(hello.span)
        try judge(offer)
        guard let suite = offer.suites.first else { throw .handshakeFailure }
        if let retry {
            // §4.1.2: the second hello differs in what was asked for alone.
            guard offer.shareCount == 1, offer.bestShare?.group == retry.group,
                suite == retry.suite, !offer.offersEarlyData
            else { throw .illegalParameter }
        }
        guard let share = offer.bestShare else {
            guard let group = offer.bestGroup else { throw .handshakeFailure }
            try ask(for: group, suite, offer, hello)
            return false
        }
        try tools.engine.begin(suite.hash)
        if let retry { try tools.engine.add(retry.transcript.span) }
        var preshared = Secret(count: suite.hash.count)
        let identity = findTicket(offer, suite, hello, into: &preshared)
        let schedule = try KeySchedule(suite.hash, preshared: preshared, tools.engine)
        if let identity {
            try verifyBinder(offer, identity, schedule, hello)
        } else {
            try tools.engine.add(hello.span)
        }
        let choice = ServerChoice(
            suite: suite, share: share, scheme: try scheme(offer, isNeeded: identity == nil),
            identity: identity)
        isResumed = identity != nil
        serverName = Array(hello[offer.serverName])
        if let code = offer.fragmentLengthCode { plaintextMax = 256 << Int(code) }
        expectEarlyData(ifOffered: offer.offersEarlyData)
        try sendFlight(offer, hello, choice, schedule)
        return true
    }

    /// What must be there, and fit together (§9.2, §4.2).
    private func judge(_ offer: ClientOffer) throws(Alert) {
        guard offer.offersTLS13 else { throw .protocolVersion }
        guard offer.compressesNothing else { throw .illegalParameter }
        guard let groups = offer.groups, let shares = offer.shares else {
            throw .missingExtension
        }
        guard !offer.repeatsShare, shares.allSatisfy({ groups.contains($0.group) }) else {
            throw .illegalParameter
        }
        if offer.identities != nil {
            guard offer.resumesWithExchange != nil else { throw .missingExtension }
            guard offer.identityCount == offer.binderCount else { throw .illegalParameter }
        }
        guard !offer.offersProtocols || offer.offersHTTP11 else { throw .noApplicationProtocol }
    }

    private func scheme(
        _ offer: ClientOffer, isNeeded: Bool
    ) throws(Alert) -> SignatureScheme? {
        guard isNeeded else { return nil }
        guard let schemes = offer.schemes else { throw .missingExtension }
        guard let scheme = context.credential.scheme(among: { schemes.contains($0) }) else {
            throw .handshakeFailure
        }
        return scheme
    }

    // MARK: Another hello

    /// HelloRetryRequest (§4.1.4).
    private func ask(
        for group: NamedGroup, _ suite: CipherSuite, _ offer: ClientOffer, _ hello: [UInt8]
    ) throws(Alert) {
        var request = HandshakeMessage(.serverHello)
        request.append(number: 0x0303, size: 2)
        request.append(Self.retryRandom.span)
        request.appendChoice(suite, sessionID: hello.span.extracting(offer.sessionID)) {
            $0.addExtension(ExtensionType.supportedVersions) { $0.append(number: 0x0304, size: 2) }
            $0.addExtension(ExtensionType.keyShare) {
                $0.append(number: Int(group.rawValue), size: 2)
            }
        }
        let message = request.finish()
        let digest = try tools.engine.hash(suite.hash, hello.span)
        var transcript: [UInt8] = [
            HandshakeType.messageHash.rawValue, 0, 0, UInt8(digest.count),
        ]
        for index in 0..<digest.count { transcript.append(digest.bytes[index]) }
        retry = Retry(suite: suite, group: group, transcript: transcript + message)
        expectEarlyData(ifOffered: offer.offersEarlyData)
        send(ContentType.handshake, plaintext: message.span)
        sendChangeCipherSpec(offer)
    }

    /// §D.4: for middleboxes, where the client has them in mind.
    func sendChangeCipherSpec(_ offer: ClientOffer) {
        guard !hasSentChangeCipherSpec, !offer.sessionID.isEmpty else { return }
        hasSentChangeCipherSpec = true
        let content: [UInt8] = [1]
        send(ContentType.changeCipherSpec, plaintext: content.span)
    }

    // MARK: Tickets

    /// - Returns: the place of the first one that can be resumed with; its key in `preshared`.
    private func findTicket(
        _ offer: ClientOffer, _ suite: CipherSuite, _ hello: [UInt8],
        into preshared: inout Secret
    ) -> Int? {
        guard let identities = offer.identities, offer.resumesWithExchange == true else {
            return nil
        }
        for (index, identity) in identities.enumerated() {
            guard
                let session = context.tickets.open(
                    hello.span.extracting(identity), suite.hash,
                    serverName: hello.span.extracting(offer.serverName))
            else { continue }
            guard mayResume(session.client) else { continue }
            provenAt = session.provenAt
            clientCertificate = session.client?.certificate
            preshared.set(session.key)
            return index
        }
        return nil
    }

    /// Whether what the ticket says of its client is what a client is asked for now.
    private func mayResume(_ client: TicketKeys.Client?) -> Bool {
        client?.rules == context.clients?.fingerprint
            && client?.certificate?.isValid(at: now) ?? true
    }

    /// That the client has the ticket's key (§4.2.11.2). The hello is in the transcript then.
    private func verifyBinder(
        _ offer: ClientOffer, _ identity: Int, _ schedule: borrowing KeySchedule,
        _ hello: [UInt8]
    ) throws(Alert) {
        let nothing: [UInt8] = []
        try tools.engine.add(hello.span.extracting(0..<offer.bindersStart))
        let transcript = try tools.engine.digest()
        let key = try schedule.derive(
            "res binder", tools.engine.hash(schedule.hash, nothing.span))
        let expected = try schedule.finished(key, transcript)
        let binder = hello.span.extracting(offer.binders[identity])
        guard constantTimeEquals(binder, expected.span) else { throw .decryptError }
        try tools.engine.add(hello.span.extracting(offer.bindersStart..<hello.count))
    }
}

extension HandshakeMessage {
    /// What ServerHello and HelloRetryRequest have in common behind the random (§4.1.3).
    mutating func appendChoice(
        _ suite: CipherSuite, sessionID: Span<UInt8>,
        extensions: (inout HandshakeMessage) -> Void
    ) {
        append(number: sessionID.count, size: 1)
        append(sessionID)
        append(number: Int(suite.rawValue), size: 2)
        append(number: 0, size: 1)
        vector(size: 2, extensions)
    }
}
