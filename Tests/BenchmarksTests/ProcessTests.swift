// SPDX-License-Identifier: Apache-2.0

import Testing
import benchmarks

@Suite("Processes, as the kernel tells of them")
struct ProcessTests {
    @Test(
        arguments: [
            ("1 (init) S 0 0 0 0 -1 4194560 35532", 0),
            ("4242 (nginx: worker) R 4241 4241 0", 4241),
            // A name may hold anything.
            ("77 (a) S 9 (b)) S 12 77", 12),
            ("77 ()) Z 3 77", 3),
        ] as [(String, Int32)])
    func theParentStandsBehindTheName(stat: String, parent: Int32) {
        #expect(ProcessTree.parent(stat) == parent)
    }

    @Test(arguments: ["", "12", "12 (cut", "12 (cut)", "12 (cut) S", "12 (cut) S x"])
    func whatIsCutHasNoParent(stat: String) {
        #expect(ProcessTree.parent(stat) == nil)
    }

    @Test func aTreeIsTheRootAndAllBelow() {
        let parents: [Int32: Int32] = [1: 0, 10: 1, 11: 10, 12: 10, 13: 12, 20: 1, 21: 20]
        #expect(ProcessTree.members(of: 10, parents: parents) == [10, 11, 12, 13])
        #expect(ProcessTree.members(of: 13, parents: parents) == [13])
        #expect(ProcessTree.members(of: 99, parents: parents) == [99])
    }

    /// The files are read one after the other, so that an id may have been used again meanwhile.
    @Test func aCircleEnds() {
        #expect(ProcessTree.members(of: 1, parents: [1: 2, 2: 1]) == [1, 2])
    }

    @Test func theProportionalPartIsReadFromItsOwnLine() {
        let rollup = """
            55d0c8a00000-7ffd9 ---p 00000000 00:00 0                          [rollup]
            Rss:                8324 kB
            Pss:                4620 kB
            Pss_Anon:           1024 kB
            """
        #expect(ResidentMemory.proportionalBytes(rollup) == 4620 * 1024)
        #expect(ResidentMemory.proportionalBytes("Pss_Anon: 1 kB\n") == 0)
        #expect(ResidentMemory.proportionalBytes("") == 0)
    }

    @Test func callgrindsCountIsFound() {
        let log = """
            ==12== Callgrind, a call-graph generating cache profiler
            ==12== Events    : Ir
            ==12== Collected : 9731256
            """
        #expect(InstructionCounter.collected(log) == 9_731_256)
        #expect(InstructionCounter.collected("==12== Events    : Ir") == nil)
    }
}
