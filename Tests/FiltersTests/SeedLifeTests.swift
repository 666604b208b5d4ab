// SPDX-License-Identifier: Apache-2.0

import Filters
import Identity
import TestSupport
import Testing

/// Whatever happens in whatever order: no step of a seed is accepted twice, no valid code is
/// refused, and no seed counts after its end.
@Suite("Seeds, through anything")
struct SeedLifeTests {
    private struct Used: Hashable {
        let seed: Int
        let step: UInt64
    }

    @Test(arguments: 0..<40)
    func codesCountOnceAndSeedsEnd(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let life = try SeedLife(oneTime: true)
        var used: Set<Used> = []
        /// The last accepted step, by seed.
        var last: [Int: UInt64] = [:]
        /// Seeds that have counted and do no more.
        var over: Set<Int> = []
        for _ in 0..<400 {
            try happen(life, &random)
            let number = Int.random(
                in: max(0, life.seeds.count - 4)..<life.seeds.count, using: &random)
            let now = life.step(of: life.wall)
            let step = UInt64(max(0, Int(now) + Int.random(in: -3...3, using: &random)))
            let code = try life.seeds[number].code(step: step)
            guard isUnambiguous(code, life, number, step) else { continue }
            let isLive = life.live.contains {
                $0.fingerprint == life.seeds[number].fingerprint
            }
            #expect(!isLive || !over.contains(number), "a seed came back, seed \(seed)")
            if !isLive { over.insert(number) }
            let isNear = step + UInt64(SeedLife.skew) >= now && step <= now + UInt64(SeedLife.skew)
            let isNew = step > last[number] ?? 0
            let verdict = try life.ask(code)
            if isLive, isNear, isNew {
                #expect(verdict == .pass, "a valid code was refused, seed \(seed)")
                #expect(used.insert(Used(seed: number, step: step)).inserted)
                last[number] = step
            } else {
                #expect(
                    verdict == .refuse(.totpInvalid),
                    "seed \(seed): live \(isLive) near \(isNear) new \(isNew)")
            }
        }
        #expect(!used.isEmpty)
    }

    /// With codes that are good more than once, a clock that is set back opens no window that was
    /// over.
    @Test(arguments: 0..<20)
    func windowsThatAreOverStayClosed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let life = try SeedLife(oneTime: false)
        var newest: [Int: UInt64] = [:]
        for _ in 0..<300 {
            try happen(life, &random)
            let number = life.seeds.count - 1
            let now = life.step(of: life.wall)
            let step = UInt64(max(0, Int(now) + Int.random(in: -2...2, using: &random)))
            let code = try life.seeds[number].code(step: step)
            guard try life.ask(code) == .pass else { continue }
            #expect(step + UInt64(2 * SeedLife.skew) >= newest[number] ?? 0, "seed \(seed)")
            newest[number] = max(newest[number] ?? 0, step)
        }
    }

    /// Something that an operator, a clock or a kill does, or only time that passes.
    private func happen(_ life: SeedLife, _ random: inout SeededRandom) throws {
        life.pass(UInt64.random(in: 0...20_000, using: &random))
        switch Int.random(in: 0..<40, using: &random) {
        case 0: life.wall -= UInt64.random(in: 0...120_000, using: &random)
        case 1: life.wall += UInt64.random(in: 0...120_000, using: &random)
        case 2, 3: try life.restart()
        case 4, 5: try life.reload()
        case 6: try life.rotateByFile()
        case 7:
            try life.rotateByCall(graceMilliseconds: UInt64.random(in: 0...90_000, using: &random))
        case 8:
            let old = life.seeds.randomElement(using: &random)
            if let old { try life.bringBack(old) }
        case 9:
            life.wall -= UInt64.random(in: 0...120_000, using: &random)
            try life.restart()
        default: break
        }
        try life.tick()
    }

    /// False where the digits happen to be those of another step or seed, once in a million.
    private func isUnambiguous(
        _ code: String, _ life: SeedLife, _ number: Int, _ step: UInt64
    ) -> Bool {
        let now = life.step(of: life.wall)
        for seed in life.live {
            for near in max(now, 2) - 2...now + 2 {
                let isSame =
                    seed.fingerprint == life.seeds[number].fingerprint && near == step
                if !isSame, (try? seed.code(step: near)) == code { return false }
            }
        }
        return true
    }
}
