// SPDX-License-Identifier: Apache-2.0

/// What a siege has done, in the order in which it happened.
struct SiegeOutcome {
    var quiet = Honest.Stretch()
    var gathering = Honest.Stretch()
    var attack = Honest.Stretch()
    var recovery = Honest.Stretch()
    var after = Honest.Stretch()
    /// Bytes.
    var before = 0.0
    var peak = 0.0
    var left = 0.0
    var quietUse = ProcessorUse()
    var use = ProcessorUse()
    /// Of the attack's own thread, in the same time, in nanoseconds.
    var attackUse: UInt64 = 0
    var held: [Int] = []
    var cuts = 0
    var failures = 0

    var errors: Int {
        quiet.errors + gathering.errors + attack.errors + recovery.errors + after.errors
    }
}
