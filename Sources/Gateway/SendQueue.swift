// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Connections whose message is whole and leaves at the end of the turn, in the order they came.
///
/// A send wakes whoever waits at the other end, and that is the dearest part of it. Sends that
/// follow each other closely find the other process awake, so a busy turn pays for one waking and
/// the peer reads the messages together. A turn of one event ends at once, and nobody waits.
struct SendQueue: ~Copyable {
    /// Each that waits holds a slab. Beyond this a message leaves at once.
    static let capacity = 64

    /// Invariant: the first `count` words are tokens, of which `first` have left.
    private var words = WordTable(capacity: capacity)
    private var count = 0
    private var first = 0

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count == Self.capacity }

    mutating func append(_ token: SlotToken) {
        precondition(!isFull)
        words[count] = token.rawValue
        count += 1
    }

    /// The one that has waited longest; `nil` when all have left.
    mutating func next() -> SlotToken? {
        guard first < count else {
            first = 0
            count = 0
            return nil
        }
        first += 1
        return SlotToken(rawValue: words[first - 1])
    }
}
