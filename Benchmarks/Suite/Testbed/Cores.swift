// SPDX-License-Identifier: Apache-2.0

import CBenchmarks

/// Who runs where: with two cores or more the gateway has one for itself.
struct Cores {
    let gateway: Int?
    /// Generator and upstream.
    let others: Int?

    /// Pins the calling thread, and what it starts from now on, to the core of the generator.
    static func divide() -> Cores {
        let first = cb_allowed_core(0)
        let second = cb_allowed_core(1)
        guard first >= 0, second >= 0, cb_pin(second) == 0 else {
            return Cores(gateway: nil, others: nil)
        }
        return Cores(gateway: Int(first), others: Int(second))
    }

    /// Everyone runs where the kernel likes.
    static let undivided = Cores(gateway: nil, others: nil)

    var description: String {
        guard let gateway, let others else { return "nothing is pinned" }
        return "gateway on core \(gateway); generator and upstream on core \(others)"
    }
}
