// SPDX-License-Identifier: Apache-2.0

/// What a plain reading of RFC 8446 makes of a stream of inner plaintexts.
struct Verdict {
    enum End { case closed, failed }

    private(set) var data: [UInt8] = []
    private(set) var end: End?
    private(set) var updatesAsked = 0
    private var message: [UInt8] = []
    private var withoutData = 0

    /// - Returns: whether the record was the end of a change of keys.
    mutating func take(_ inner: [UInt8]) -> Bool {
        guard end == nil else { return false }
        var content = inner
        while content.last == 0 { content.removeLast() }
        guard let type = content.popLast(), content.count <= 16_384 else { return fail() }
        guard inner.count <= 16_624 else { return fail() }
        if type != 22, !message.isEmpty { return fail() }
        if type == 23, !content.isEmpty {
            withoutData = 0
            data += content
            return false
        }
        withoutData += 1
        guard withoutData <= 32 else { return fail() }
        switch type {
        case 21: return takeAlert(content)
        case 22: return takeHandshake(content)
        case 23: return false
        default: return fail()
        }
    }

    private mutating func fail() -> Bool {
        end = .failed
        return false
    }

    private mutating func takeAlert(_ content: [UInt8]) -> Bool {
        guard content.count == 2 else { return fail() }
        if content[1] == 90 { return false }
        end = content[1] == 0 ? .closed : .failed
        return false
    }

    private mutating func takeHandshake(_ content: [UInt8]) -> Bool {
        guard !content.isEmpty else { return fail() }
        message += content
        let updates: [[UInt8]] = [[24, 0, 0, 1, 0], [24, 0, 0, 1, 1]]
        guard updates.contains(where: { $0.starts(with: message) }) else { return fail() }
        guard message.count == 5 else { return false }
        updatesAsked += Int(message[4])
        message = []
        return true
    }
}
