// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// The oracle: whether what became of a call can be explained by what was done to it.
extension World {
    /// The client has its answer, or will get none.
    func judge(_ call: Call, _ visitor: Visitor) {
        sk_note(visitor.line.link, Int32(SK_CALL_END), Int64(call.id), 0)
        var injected = call.injected
        if weather.isScarce { injected.insert(.scarce) }
        if call.isBehindClose, call.arrivals > 0 {
            fail(.broken, "a request behind a closing answer was made", visitor: visitor, call)
        }
        switch call.outcome {
        case .none: break
        case .answered(let status):
            counts.answered += 1
            judgeAnswer(call, status, visitor)
        case .refused(let code):
            counts.refused += 1
            guard !isAllowed(code, call, injected) else { return }
            fail(.unexplained, "refused with \(code)", visitor: visitor, call)
        case .cut(let hasBegun):
            counts.cut += 1
            guard !mayBeCut(call, injected, hasBegun: hasBegun) else { return }
            fail(.unexplained, "no answer", visitor: visitor, call)
        }
    }

    private func judgeAnswer(_ call: Call, _ status: Int, _ visitor: Visitor) {
        // What came before it on its upstream connection may have run into it.
        guard !call.isPoisoned else { return }
        if call.own != nil {
            if call.arrivals > 0 { fail(.broken, "went upstream", visitor: visitor, call) }
            return
        }
        if status != call.answer.status {
            fail(.foreign, "status \(status)", visitor: visitor, call)
        }
        if call.arrivals != 1 {
            fail(.twice, "answered, arrived \(call.arrivals) times", visitor: visitor, call)
        }
        if !call.isAnswerWhole {
            fail(.cut, "the answer looks whole and is not", visitor: visitor, call)
        }
    }

    private func mayBeCut(_ call: Call, _ injected: Injected, hasBegun: Bool) -> Bool {
        if call.isBehindClose { return true }
        let always: Injected = [
            .clientLeft, .clientGarbled, .clientDeaf, .clientSlow, .upstreamCut, .upstreamGarbled,
            .early, .scarce, .behind, .late,
        ]
        if !injected.isDisjoint(with: always) { return true }
        // Refused, and still sending: what it sends may overtake the refusal as a reset.
        let isLong = call.bodyCount > 16_000 || call.flaw == .longChunks
        let mayFailToConnect = weather.connectFaults > 0 || weather.kernel.socket_refused > 0
        let isRefused = !injected.isDisjoint(
            with: [.upstreamLeft, .upstreamSilent, .lost, .flawed])
        return isLong && !hasBegun && (isRefused || mayFailToConnect)
    }

    private func isAllowed(_ code: String, _ call: Call, _ injected: Injected) -> Bool {
        let codes = allowedCodes(call, injected)
        if codes[code] != nil { return true }
        // The body of an answer to HEAD does not come.
        if code.hasPrefix("status "), codes.values.contains("\(code.dropFirst(7))") { return true }
        if code == "upstream_unavailable" || code == "status 503" {
            counts.unavailable += 1
            lastUnavailable = call
            return true
        }
        if code == "upstream_bad_response" || code == "status 502" {
            vague.append(call)
            return true
        }
        return false
    }

    /// The codes for which there is a reason, with their statuses.
    private func allowedCodes(_ call: Call, _ injected: Injected) -> [String: String] {
        var codes: [String: String] = [:]
        switch call.flaw {
        case .bareLineFeed, .twoLengths, .lengthAndChunked, .spaceBeforeColon, .noVersion,
            .controlByte, .badChunk:
            codes["http_malformed"] = "400"
        case .ambiguousPath: codes["path_ambiguous"] = "400"
        case .unknownExpectation: codes["expectation_failed"] = "417"
        case .version2: codes["http_version"] = "505"
        case .longLine: codes["uri_too_long"] = "414"
        case .manyFields: codes["headers_too_large"] = "431"
        case .bodyTooLong, .longChunks: codes["body_too_large"] = "413"
        case .noRoute: codes["no_route"] = "404"
        case nil: break
        }
        switch call.credentials {
        case .missing: codes["credentials_missing"] = "401"
        case .wrongKey: codes["credentials_invalid"] = "401"
        case .none, .code: break
        }
        if !injected.isDisjoint(with: [.upstreamLeft, .upstreamCut, .upstreamGarbled, .lost]) {
            codes["upstream_bad_response"] = "502"
        }
        let isSlow = call.flaw == .longChunks
        if isSlow || !injected.isDisjoint(with: [.upstreamSilent, .clientSlow, .scarce]) {
            codes["upstream_timeout"] = "504"
        }
        if weather.rate != nil { codes["rate_limited"] = "429" }
        if injected.contains(.scarce) { codes["overloaded"] = "503" }
        if !injected.isDisjoint(with: [.clientSlow, .clientLeft]) {
            codes["request_timeout"] = "408"
        }
        return codes
    }

    /// Another answer was taken for this call's. Where an upstream had sent more than it was asked
    /// on that connection, nobody can tell; whether it had comes out later.
    func hasGot(_ call: Call, answerOf id: String) {
        misplaced.append((call, id))
        call.injected.insert(.upstreamGarbled)
    }

    /// What cannot be laid to one call is held against how often it was caused.
    func checkBudgets() {
        let refused = counts.connectFaults + Int(sk_connects_refused())
        if counts.unavailable > refused {
            let text = "\(counts.unavailable) calls unavailable, \(refused) for a reason"
            fail(.unexplained, text, lastUnavailable)
        }
        // That its bytes were lost may have come out after its answer.
        let unclear = vague.filter { !$0.injected.contains(.lost) }
        if unclear.count > counts.vagueLosses {
            let text = "\(unclear.count) bad answers, \(counts.vagueLosses) for a reason"
            fail(.unexplained, text, unclear.last)
        }
        for (call, id) in misplaced where !call.isPoisoned {
            // A request that never arrived may have been on its way to such an upstream.
            let number = Int(id) ?? 0
            let isOutOfStep = number == AnswerText.poisonID || self.call(number)?.isPoisoned == true
            if call.arrivals == 0, isOutOfStep { continue }
            fail(.foreign, "the answer of call \(id)", call)
        }
        let mayTurnAway =
            weather.kernel.accept_aborted > 0 || weather.slabs != nil || weather.rate != nil
            || weather.clientsPerAddress < 400
        if counts.turnedAway > 0, !mayTurnAway {
            fail(.unexplained, "\(counts.turnedAway) clients turned away")
        }
    }

    /// The connection ended within its handshake.
    func wasTurnedAway(_ visitor: Visitor) {
        guard visitor.manners.doom == nil || visitor.doom != nil else { return }
        counts.turnedAway += 1
        holdBack()
    }
}
