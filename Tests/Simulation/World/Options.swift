// SPDX-License-Identifier: Apache-2.0

/// The command line.
struct Options {
    static let usage = """
        usage: simulation [--seed N] [--exchanges M] [--world K] [--trace] [--self-test]

          --seed N        the run's seed; one by chance where it is not given
          --exchanges M   how many calls are made, 20000 unless given
          --world K       only the world of that number
          --trace         prints what happened on the connections of each failure
          --trace-all     prints what happened on all connections
          --twice         runs it again and compares the hashes
          --self-test     breaks the world in each way that the oracle must see
        """

    var seed: UInt64?
    var exchanges = 20_000
    var world: Int?
    var isTraced = false
    var isTracedWhole = false
    var isTwice = false
    var isSelfTest = false
    var isVerbose = false

    /// `nil` where the arguments are not understood.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch flag {
            case "--trace": isTraced = true
            case "--trace-all":
                isTraced = true
                isTracedWhole = true
            case "--twice": isTwice = true
            case "--self-test": isSelfTest = true
            case "--verbose": isVerbose = true
            case "--seed":
                guard let value = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
                seed = value
            case "--exchanges", "--world":
                guard let value = rest.popFirst().flatMap({ Int($0) }), value >= 0 else {
                    return nil
                }
                if flag == "--world" { world = value } else { exchanges = value }
            default: return nil
            }
        }
    }
}
