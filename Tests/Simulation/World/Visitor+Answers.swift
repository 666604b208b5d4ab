// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

extension Visitor {
    /// How far the answer that is in front has been read.
    struct Reading {
        var head: MessageReader.Head?
        var isInterim = false
        /// Of an upstream, by its mark; else the gateway's own.
        var isUpstreams = false
        var bodyCount = 0
        var problem: [UInt8] = []
        var interims = 0
        var trailers: MessageReader.Head?
    }

    func readAnswers() {
        while phase != .gone {
            let isHead = awaiting.first?.method == .head
            guard let event = reader.next(isBodyless: isHead) else { return }
            guard let call = awaiting.first else {
                world.fail(.foreign, "an answer that nobody asked for", visitor: self)
                return leave(resets: true)
            }
            switch event {
            case .head(let head): take(head, call)
            case .body(let bytes): take(bytes, call)
            case .trailers(let head): reading.trailers = head
            case .end:
                if reading.isInterim {
                    reading.interims += 1
                    reading.head = nil
                } else {
                    finish(call)
                }
            }
        }
    }

    private func take(_ head: MessageReader.Head, _ call: Call) {
        reading.head = head
        reading.isInterim = head.status < 200
        if reading.isInterim {
            if head.status == 100, writing?.call === call { writing?.holdsBodyUntil = 0 }
            return
        }
        if let id = head["x-sim-id"] {
            reading.isUpstreams = true
            guard id == "\(call.id)" else {
                world.hasGot(call, answerOf: id)
                return leave(resets: true)
            }
        }
        if head.values("x-request-id").count != 1 {
            world.fail(.broken, "an answer without x-request-id", visitor: self, call)
        }
        if let token = head["x-agentport-session"] {
            if token == "forged" { world.fail(.broken, "a forged session", visitor: self, call) }
            session = (token, sk_now())
        }
        // An answer that comes before its request has ended ends the connection.
        if head.values("connection").contains("close") { closeBehind(call) }
    }

    private func closeBehind(_ call: Call) {
        isClosing = true
        for other in awaiting where other !== call { other.isBehindClose = true }
        guard let part = writing else { return }
        if part.call !== call || !manners.isStubborn { isSilent = part.offset > 0 }
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ call: Call) {
        guard reading.isUpstreams else {
            reading.problem += bytes
            return
        }
        if !Pattern.matches(bytes, of: call.id, isAnswer: true, at: reading.bodyCount) {
            world.fail(.foreign, "other bytes at \(reading.bodyCount)", visitor: self, call)
        }
        reading.bodyCount += bytes.count
    }

    func finish(_ call: Call) {
        guard let head = reading.head else { return }
        if let own = call.own, !reading.isUpstreams, head.status == 200 {
            call.outcome = .answered(status: 200)
            let text = String(decoding: reading.problem, as: UTF8.self)
            if own == .health ? text != "ok\n" : !text.hasPrefix("{\"keys\":[") {
                world.fail(.broken, "\(own): \(text)", visitor: self, call)
            }
        } else if reading.isUpstreams {
            call.outcome = .answered(status: head.status)
            check(call, head)
        } else {
            call.outcome = .refused(code: problemCode(head, call))
        }
        awaiting.removeFirst()
        reading = Reading()
        world.judge(call, self)
        if isClosing, awaiting.isEmpty, !manners.isStubborn || writing == nil {
            // The other side ends it; this one says goodbye as well.
            callsLeft = 0
        }
    }

    private func check(_ call: Call, _ head: MessageReader.Head) {
        guard !call.isPoisoned else { return }
        let answer = call.answer
        let hasBody = call.method != .head && !answer.isBodyless
        let expected = hasBody ? answer.bodyCount : 0
        if reading.bodyCount != expected {
            world.fail(
                .cut, "\(reading.bodyCount) of \(expected) bytes look whole", visitor: self, call)
        }
        let trailer = reading.trailers?["x-sim-trailer"]
        let wantsTrailer =
            hasBody && answer.framing == .chunked && answer.hasTrailers && !call.isOld
        if trailer != (wantsTrailer ? "\(call.id)" : nil) {
            world.fail(.broken, "trailer \(trailer ?? "none")", visitor: self, call)
        }
        let interims = call.isOld ? 0 : call.interimsSent
        if reading.interims != interims {
            let text = "\(reading.interims) of \(interims) interim answers"
            world.fail(.broken, text, visitor: self, call)
        }
    }

    private func problemCode(_ head: MessageReader.Head, _ call: Call) -> String {
        if call.method == .head { return "status \(head.status)" }
        let text = String(decoding: reading.problem, as: UTF8.self)
        guard head["content-type"] == "application/problem+json",
            let start = text.firstRange(of: "\"code\":\"")?.upperBound
        else {
            world.fail(.broken, "not a problem: \(head) \(text)", visitor: self, call)
            return "none"
        }
        return String(text[start...].prefix { $0 != "\"" })
    }

    // MARK: Doom

    func meetDoom(_ now: UInt64) {
        guard let doom else { return }
        let isDue =
            switch doom.trigger {
            case .sent(let count): sentCount >= count
            case .received(let count): receivedCount >= count
            case .after(let time): now >= startedAt + time
            }
        guard isDue else { return }
        self.doom = nil
        sk_note(line.link, Int32(SK_DOOM), Int64(doom.deed.rawValue), 0)
        switch doom.deed {
        case .reset, .close:
            inject(.clientLeft)
            leave(resets: doom.deed == .reset)
        case .cutOff:
            inject(.clientLeft)
            stopWriting()
            line.finishWriting()
        case .farewell:
            inject(.clientLeft)
            bidFarewell(withFIN: true)
        case .halfFarewell:
            // What has been asked whole is to be answered.
            writing?.call.injected.insert(.clientLeft)
            if phase == .handshake { inject(.clientLeft) }
            bidFarewell(withFIN: false)
        case .deafness:
            inject(.clientDeaf)
            isDeaf = true
        case .silence:
            inject(.clientSlow)
            stopWriting()
        case .garbage:
            inject(.clientGarbled)
            isGarbled = true
            cipher += [23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32)
            isClosing = true
            callsLeft = 0
            writing = nil
        }
    }

    private func inject(_ what: Injected) {
        for call in awaiting { call.injected.insert(what) }
    }

    private func stopWriting() {
        isSilent = true
        isClosing = true
        callsLeft = 0
        writing = nil
    }

    private func bidFarewell(withFIN: Bool) {
        if phase == .talking { tls.close() }
        sendAtOnce()
        // What the socket has not taken is never sent.
        if cipherStart < cipher.count { inject([.clientLeft, .clientSlow]) }
        stopWriting()
        if withFIN { line.finishWriting() }
    }
}
