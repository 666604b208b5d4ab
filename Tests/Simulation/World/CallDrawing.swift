// SPDX-License-Identifier: Apache-2.0

extension Call {
    /// Decides what is asked and what is to be answered.
    func draw(_ weather: Weather, manners: Manners, _ dice: inout Dice) {
        method = dice.pick([.get, .get, .post, .post, .post, .put, .head])
        // A writer of single bytes, or of tiny records, would be at it for hours.
        isSlow = manners.writeLimit < 1000 || manners.recordLimit < 1000
        let most = isSlow ? 3000 : Pattern.bodyBytesMax
        if method == .post || method == .put {
            framing = dice.oneIn(3) ? .chunked : .length
            bodyCount = dice.size(atMost: most)
            hasTrailers = framing == .chunked && dice.oneIn(4)
            expectsContinue = bodyCount > 0 && dice.oneIn(10)
        }
        if dice.oneIn(12) { credentials = .code }
        answer.draw(weather, method: method, &dice)
        if dice.oneIn(25), framing != .chunked, !expectsContinue { isOld = true }
        if dice.oneIn(40) {
            own = dice.pick([.health, .keySet])
            method = .get
            framing = .none
            bodyCount = 0
            credentials = .none
            expectsContinue = false
            return
        }
        guard dice.oneIn(weather.callFaults) else { return }
        switch dice.below(8) {
        case 0:
            credentials = dice.oneIn(2) ? .missing : .wrongKey
            injected.insert(.flawed)
        case 1, 2: drawFlaw(&dice)
        default: answer.drawFault(&dice)
        }
    }

    private func drawFlaw(_ dice: inout Dice) {
        let chosen = dice.pick(Flaw.allCases)
        isOld = false
        flaw = chosen
        injected.insert(.flawed)
        expectsContinue = false
        hasTrailers = false
        // So long a head in such small pieces takes longer than a head may.
        if isSlow, chosen == .longLine || chosen == .manyFields { injected.insert(.clientSlow) }
        switch chosen {
        case .badChunk, .longChunks:
            method = .post
            framing = .chunked
        case .twoLengths, .lengthAndChunked, .bodyTooLong:
            method = .post
            framing = .length
        default: break
        }
    }
}

extension Answer {
    fileprivate mutating func draw(_ weather: Weather, method: Call.Method, _ dice: inout Dice) {
        status = dice.pick([200, 200, 200, 200, 200, 200, 201, 204, 304, 404, 500])
        framing = dice.pick([.length, .length, .chunked, .untilClose])
        bodyCount = dice.size(atMost: Pattern.bodyBytesMax)
        hasTrailers = framing == .chunked && dice.oneIn(4)
        if dice.oneIn(12) { interims = dice.range(1...3) }
        if dice.oneIn(3) { delay = UInt64(dice.below(20_000_000)) }
        if dice.oneIn(20) { pause = UInt64(dice.below(300_000_000)) }
        closes = dice.oneIn(20)
        if dice.oneIn(6) { pieceBytes = dice.pick([1, 30, 1000, 5000]) }
        if pieceBytes < 1000 { bodyCount = min(bodyCount, 2000) }
        guard !weather.isCalm else { return }
        if dice.oneIn(15) { moment = .atHead }
        closesSilently = dice.oneIn(25)
        isFollowed = dice.oneIn(40) && framing != .untilClose
    }

    fileprivate mutating func drawFault(_ dice: inout Dice) {
        isFollowed = false
        let resets = dice.oneIn(2)
        switch dice.below(9) {
        case 0: fault = .close
        case 1: fault = .reset
        case 2, 3, 4:
            // What ends with the connection cannot be seen to be cut by a FIN.
            fault = .cut(
                hundredths: dice.below(100), resets: resets || framing == .untilClose)
        case 5: fault = .silence
        case 6: fault = .garbage(dice.below(AnswerText.garbage.count))
        case 7:
            fault = dice.oneIn(2) ? .hugeHead : .switching
            // Byte by byte it would take longer than the first byte may.
            pieceBytes = max(pieceBytes, 5000)
        default:
            fault = .badChunk
            framing = .chunked
        }
    }
}
