// SPDX-License-Identifier: Apache-2.0

import CBenchmarks
import Reactor

/// Another process and what it starts, which end with this one.
final class Child {
    private static let pollMilliseconds = 5

    let identifier: Int32
    /// What it ended with; `nil` while it runs, and where a signal ended it.
    private(set) var status: Int32?
    private var hasEnded = false

    /// - Parameters:
    ///   - words: the program's path, then its arguments.
    ///   - output: a file, which also takes what is complained of where `errors` is `nil`.
    ///   - core: where it is kept.
    init(
        _ words: [String], environment: [String: String] = [:], output: String = "/dev/null",
        errors: String? = nil, core: Int?
    ) throws(BenchmarkFault) {
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        // SAFETY: each text is copied, the lists end with a null, and all outlive the call.
        var list = unsafe words.map { unsafe strdup($0) } + [nil]
        var variables = unsafe settings.map { unsafe strdup($0) } + [nil]
        defer {
            unsafe list.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        identifier = unsafe cb_start(
            &list, &variables, output, errors ?? output, core.map { Int32($0) } ?? -1)
        guard identifier > 0 else {
            hasEnded = true
            throw .failed("\(words.first ?? "") cannot be started")
        }
        Leftovers.add(process: identifier)
    }

    deinit { end(milliseconds: 0) }

    var isRunning: Bool {
        if !hasEnded { look(isWaiting: false) }
        return !hasEnded
    }

    /// However long it takes.
    func waitForEnd() {
        while !hasEnded { look(isWaiting: true) }
    }

    private func look(isWaiting: Bool) {
        var ended: Int32 = -1
        // SAFETY: the call fills the number it is given.
        guard unsafe cb_has_ended(identifier, isWaiting ? 1 : 0, &ended) == 1 else { return }
        hasEnded = true
        status = ended >= 0 ? ended : nil
        Leftovers.remove(process: identifier)
    }

    func interrupt() {
        if isRunning { _ = cb_signal(identifier, cb_interrupt()) }
    }

    /// Waits for its end.
    ///
    /// - Returns: whether it came in time.
    @discardableResult
    func wait(milliseconds: Int) -> Bool {
        var waited = 0
        while isRunning, waited < milliseconds {
            Process.pause(milliseconds: Self.pollMilliseconds)
            waited += Self.pollMilliseconds
        }
        return !isRunning
    }

    /// Asks it to end, and after so long sees to it.
    func end(milliseconds: Int) {
        guard isRunning else { return }
        if milliseconds > 0 {
            _ = cb_signal(identifier, cb_terminate())
            if wait(milliseconds: milliseconds) { return }
        }
        cb_kill_group(identifier)
        wait(milliseconds: 1000)
    }
}
