// SPDX-License-Identifier: Apache-2.0

/// Faults of the gateway that the simulation has found and that are not mended yet. A world leaves
/// out what leads to one, or its oracle explains it, so that others can be found; `--known-faults` puts it back. Whoever
/// mends one takes its line away.
enum KnownFault: CaseIterable {
    /// A client that is in line for an upstream connection and sends close_notify within its body
    /// is given up, and stays in the line: when it leaves, its exchange is finished a second time,
    /// which traps.
    case givenUpInLine
    /// Connections that wait for a slab while they hold one wait for each other, without end.
    case starvation
    /// A request behind another is dropped after close_notify and FIN where the answer before it
    /// did not fit the socket.
    case requestBehindFarewell
    /// A drain ends a connection on which a request has begun to arrive, as long as its first
    /// record is not whole.
    case halfRecordAtDrain
    /// Where close_notify does not fit the socket at once, FIN goes out without it: an answer that
    /// ends with the connection then looks cut, though it is whole.
    case farewellThatDoesNotFit
    /// A send to an upstream takes its reset from the socket, and what is read then looks like FIN:
    /// an answer that ends with the connection is cut, and looks whole.
    case resetTakenBySend

    nonisolated(unsafe) private static var areDrawn = false

    static func drawAll() { unsafe areDrawn = true }

    /// Whether worlds leave it out, or the oracle explains it.
    var isAvoided: Bool { unsafe !Self.areDrawn }
}

extension Call {
    /// It was answered before all of it was there, and the answer's end is the connection's.
    var mayLookWhole: Bool {
        answer.framing == .untilClose && injected.contains(.early)
            && KnownFault.resetTakenBySend.isAvoided
    }
}
