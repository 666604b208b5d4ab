// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// One connection that the gateway has made to the upstream.
final class Host: Actor {
    let id: UInt32
    unowned let world: World
    let line: Line
    private var reader = MessageReader(isRequests: true)
    private let readLimit: Int
    private let readGap: UInt64
    private var nextRead: UInt64 = 0

    private(set) var call: Call?
    private var bodyCount = 0
    private var hasRequestEnded = false

    private var text: AnswerText?
    private var offset = 0
    private var hasPaused = false
    private var nextWrite: UInt64 = 0
    /// It sends, or has sent, an answer that nobody asked for.
    private var isPoisoned = false
    /// When it closes, being idle; 0 for never.
    private var idleEnd: UInt64 = 0
    /// What was sent to it after it had closed.
    private var lost: [UInt8] = []

    init(id: UInt32, world: World, line: Line) {
        self.id = id
        self.world = world
        self.line = line
        let isSlow = world.dice.oneIn(10)
        readLimit = isSlow ? world.dice.range(500...4000) : 65_536
        readGap = isSlow ? UInt64(world.dice.below(1_000_000)) : 0
    }

    func wake() {
        let now = sk_now()
        if line.isOpen, now >= nextRead { receive(now) }
        if line.isOpen, now >= nextWrite { writeAnswer(now) }
        guard line.isOpen else { return }
        if idleEnd > 0, now >= idleEnd {
            // A reset would take with it what is still on its way.
            return close(resets: world.dice.oneIn(5) && line.isDelivered)
        }
        var next = UInt64.max
        if nextRead > now { next = nextRead }
        if text != nil, nextWrite > now { next = min(next, nextWrite) }
        if idleEnd > now { next = min(next, idleEnd) }
        if next != .max { sk_wake(id, next) }
    }

    private func close(resets: Bool) { line.close(resets: resets) }

    // MARK: The request

    private func receive(_ now: UInt64) {
        while line.isOpen {
            var bytes: [UInt8] = []
            switch line.receive(into: &bytes, limit: readLimit) {
            case .bytes:
                reader.append(bytes)
                readRequest(now)
                guard readGap == 0 else {
                    nextRead = now + readGap
                    return
                }
            case .nothingYet: return
            case .end, .failed:
                // The gateway has given up, or has no more use for it.
                return close(resets: false)
            }
        }
    }

    private func readRequest(_ now: UInt64) {
        while line.isOpen, let event = reader.next() {
            switch event {
            case .head(let head): begin(head, now)
            case .body(let bytes):
                guard let call else { continue }
                if call.flaw == nil,
                    !Pattern.matches(bytes, of: call.id, isAnswer: false, at: bodyCount)
                {
                    world.fail(.foreign, "other bytes upstream at \(bodyCount)", call)
                }
                bodyCount += bytes.count
            case .trailers(let head):
                let names = head.fields.map(\.name)
                guard call?.flaw == nil, names != ["x-sim-trailer"] else { continue }
                world.fail(.broken, "trailers upstream: \(names)", call)
            case .end: endRequest(now)
            }
        }
        if let fault = reader.fault {
            world.fail(.broken, "not a request upstream: \(fault)", call)
            close(resets: true)
        }
    }

    private func begin(_ head: MessageReader.Head, _ now: UInt64) {
        idleEnd = 0
        let parts = head.first.split(separator: " ")
        let path = parts.count > 1 ? parts[1].prefix { $0 != "?" } : ""
        let number = path.split(separator: "/").last.flatMap { Int($0) }
        guard let number, let found = world.call(number) else {
            return world.fail(.foreign, "a request that nobody made: \(head.first)")
        }
        found.arrivals += 1
        sk_note(line.link, Int32(SK_ARRIVAL), Int64(number), 0)
        found.links.append(line.link)
        if isPoisoned {
            // Nobody could see in time that the answer before had another behind it.
            found.injected.insert(.upstreamGarbled)
            found.isPoisoned = true
        } else if text != nil || (call != nil && !hasRequestEnded) {
            world.fail(.broken, "a request before the answer to another", found)
        }
        if found.arrivals > 1 { world.fail(.twice, "arrived \(found.arrivals) times", found) }
        call = found
        bodyCount = 0
        hasRequestEnded = false
        text = nil
        world.check(head, of: found, path: path)
        let answer = found.answer
        if found.expectsContinue, answer.moment == .atBody {
            _ = line.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)[...])
            found.interimsSent += 1
        }
        if answer.moment == .atHead {
            let hasBody = found.bodyCount > 0 || found.framing == .chunked
            if hasBody || found.flaw != nil { found.injected.insert(.early) }
            beginAnswer(found, now)
        }
    }

    private func endRequest(_ now: UInt64) {
        guard let call, !hasRequestEnded else { return }
        hasRequestEnded = true
        call.wholeArrivals += 1
        if !call.isWritten { world.fail(.cut, "a request that was not sent is whole", call) }
        if call.flaw != nil { world.fail(.broken, "a flawed request is whole upstream", call) }
        if bodyCount != call.bodyCount {
            world.fail(.cut, "\(bodyCount) of \(call.bodyCount) bytes upstream", call)
        }
        if text == nil, call.answer.moment == .atBody { beginAnswer(call, now) }
        if text == nil { goIdle(now) }
    }

    // MARK: The answer

    private func beginAnswer(_ call: Call, _ now: UInt64) {
        if world.sabotage == .silence, world.dice.oneIn(100) {
            call.answer.fault = .silence
            text = AnswerText(call, id: call.id, &world.dice)
            return
        }
        let answer = call.answer
        switch answer.fault {
        case .none: break
        case .close, .reset: call.injected.insert(.upstreamLeft)
        case .cut: call.injected.insert(.upstreamCut)
        case .silence: call.injected.insert(.upstreamSilent)
        case .garbage, .hugeHead, .switching, .badChunk: call.injected.insert(.upstreamGarbled)
        }
        sk_note(line.link, Int32(SK_ANSWER), Int64(call.id), 0)
        text = AnswerText(call, id: world.answerID(for: call), &world.dice)
        if world.sabotage == .pretence { text?.forgetCut() }
        if text?.end == text?.bytes.count { call.interimsSent += answer.interims }
        isPoisoned = isPoisoned || answer.isFollowed
        offset = 0
        hasPaused = answer.pause == 0
        nextWrite = now + answer.delay
        if nextWrite <= now { writeAnswer(now) }
    }

    private func writeAnswer(_ now: UInt64) {
        guard let call, let text else { return }
        switch call.answer.fault {
        case .close: return close(resets: false)
        case .reset: return close(resets: true)
        case .silence: return
        default: break
        }
        while offset < text.end {
            if !hasPaused, offset >= text.end / 2 {
                hasPaused = true
                nextWrite = now + call.answer.pause
                return
            }
            let count = min(text.end - offset, call.answer.pieceBytes)
            guard let sent = line.send(text.bytes[offset..<offset + count]) else {
                return close(resets: false)
            }
            if sent == 0 { return }
            offset += sent
            noteWhole(call, text)
            if count < 65_536, offset < text.end {
                nextWrite = now + 1 + UInt64(world.dice.below(60_000))
                return
            }
        }
        endAnswer(call, now)
    }

    private func noteWhole(_ call: Call, _ text: AnswerText) {
        guard offset >= text.wholeCount, call.answer.framing != .untilClose else { return }
        switch call.answer.fault {
        case .none: call.isAnswerWhole = true
        case .badChunk where call.method == .head || call.answer.isBodyless:
            call.isAnswerWhole = true
        default: break
        }
    }

    private func endAnswer(_ call: Call, _ now: UInt64) {
        let answer = call.answer
        sk_note(line.link, Int32(SK_ANSWER_END), Int64(call.id), 0)
        self.text = nil
        if case .cut(_, let resets) = answer.fault { return close(resets: resets) }
        let endsWithClose = answer.framing == .untilClose
        if endsWithClose, answer.fault == .none { call.isAnswerWhole = true }
        noteWholeWithoutBody(call)
        if answer.closes || answer.closesSilently || endsWithClose { return close(resets: false) }
        if hasRequestEnded { goIdle(now) }
    }

    /// What has no body is whole with its head, whatever would have ended the body.
    private func noteWholeWithoutBody(_ call: Call) {
        guard call.method == .head || call.answer.isBodyless else { return }
        if call.answer.fault == .none { call.isAnswerWhole = true }
    }

    private func goIdle(_ now: UInt64) {
        call = nil
        guard !world.weather.isCalm, world.dice.oneIn(10) else { return }
        idleEnd = now + 1 + UInt64(world.dice.below(200_000_000))
    }

    // MARK: After the end

    /// Bytes have come that will never be read: the request among them is lost.
    func lose(_ bytes: UnsafeBufferPointer<UInt8>) {
        // SAFETY: the bytes are there for the time of the call.
        unsafe lost.append(contentsOf: bytes)
        call?.injected.insert(.lost)
        let text = String(decoding: lost, as: UTF8.self)
        var isKnown = false
        for place in ["/open/", "/calls/"] {
            guard let start = text.firstRange(of: place)?.upperBound,
                let number = Int(text[start...].prefix { $0.isNumber }),
                let found = world.call(number)
            else { continue }
            found.injected.insert(.lost)
            found.isPoisoned = found.isPoisoned || isPoisoned
            isKnown = true
        }
        if !isKnown, call == nil { world.counts.vagueLosses += 1 }
    }
}
