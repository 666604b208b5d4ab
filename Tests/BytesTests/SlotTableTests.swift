// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

/// Counts how many tenants were destroyed.
private final class Grave {
    var count = 0
}

private struct Tenant: ~Copyable {
    var name: Int
    let grave: Grave?

    init(_ name: Int, grave: Grave? = nil) {
        self.name = name
        self.grave = grave
    }

    deinit {
        grave?.count += 1
    }
}

@Suite struct SlotTableTests {
    @Test func fillsToItsCapacityOverManySegments() {
        var table = SlotTable<Tenant>(kind: 1, capacity: 200)
        var indices: Set<Int> = []
        for name in 0..<200 {
            guard let index = table.insert(Tenant(name)) else { continue }
            indices.insert(index)
            table[index].name += 1000
        }
        #expect(indices == Set(0..<200))
        let refused = table.insert(Tenant(0))
        #expect(refused == nil)
        let (count, end) = (table.count, table.indexEnd)
        #expect(count == 200 && end == 200)
        var names: Set<Int> = []
        for index in indices { names.insert(table[index].name) }
        #expect(names == Set(1000..<1200), "elements stay where they are as the table grows")
    }

    @Test func aRefusedElementIsDestroyed() {
        let grave = Grave()
        var table = SlotTable<Tenant>(kind: 1, capacity: 1)
        _ = table.insert(Tenant(0))
        let refused = table.insert(Tenant(1, grave: grave))
        #expect(refused == nil)
        #expect(grave.count == 1)
    }

    @Test func aFreedSlotIsUsedAgainFirst() throws {
        var table = SlotTable<Tenant>(kind: 1, capacity: 64)
        for name in 0..<10 { _ = table.insert(Tenant(name)) }
        let removed = table.remove(at: 4).name
        #expect(removed == 4)
        let isOccupied = table.isOccupied(4)
        #expect(!isOccupied)
        let reused = table.insert(Tenant(99))
        #expect(reused == 4)
    }

    @Test func aStaleTokenResolvesToNothing() throws {
        var table = SlotTable<Tenant>(kind: 3, capacity: 8)
        let inserted = table.insert(Tenant(1))
        let index = try #require(inserted)
        let old = table.token(at: index)
        let live = table.resolve(old)
        #expect(live == index)
        _ = table.remove(at: index)
        let afterRemoval = table.resolve(old)
        #expect(afterRemoval == nil)
        let insertedAgain = table.insert(Tenant(2))
        let again = try #require(insertedAgain)
        #expect(again == index)
        let stale = table.resolve(old)
        #expect(stale == nil, "the slot has changed hands")
        let fresh = table.token(at: again)
        #expect(fresh != old)
        let resolved = table.resolve(fresh)
        #expect(resolved == again)
    }

    @Test func foreignTokensResolveToNothing() throws {
        var table = SlotTable<Tenant>(kind: 3, capacity: 100)
        let inserted = table.insert(Tenant(1))
        let index = try #require(inserted)
        let token = table.token(at: index)
        let foreign = [
            SlotToken(rawValue: 0),
            SlotToken(rawValue: .max),
            SlotToken(kind: 4, index: index, generation: token.generation),
            SlotToken(kind: 3, index: index, generation: token.generation + 2),
            SlotToken(kind: 3, index: index + 1, generation: 1),
            SlotToken(kind: 3, index: 64, generation: 1),
            SlotToken(kind: 3, index: 0xFF_FFFF, generation: 1),
        ]
        for other in foreign {
            let resolved = table.resolve(other)
            #expect(resolved == nil, "\(other)")
        }
    }

    @Test func theTableDestroysTheOccupiedAlone() {
        let grave = Grave()
        do {
            var table = SlotTable<Tenant>(kind: 1, capacity: 500)
            for name in 0..<300 { _ = table.insert(Tenant(name, grave: grave)) }
            for index in 0..<100 { _ = table.remove(at: index * 3) }
            #expect(grave.count == 100)
        }
        #expect(grave.count == 300)
    }

    @Test(
        arguments: [(0, 0, 0), (255, 0xFF_FFFF, .max), (7, 1234, 99)]
            as [(UInt8, Int, UInt32)])
    func tokensKeepTheirParts(kind: UInt8, index: Int, generation: UInt32) {
        let token = SlotToken(kind: kind, index: index, generation: generation)
        #expect(token.kind == kind)
        #expect(token.index == index)
        #expect(token.generation == generation)
        #expect(SlotToken(rawValue: token.rawValue) == token)
    }

    /// Random tenancies against a dictionary; every token ever given out is tried.
    @Test(arguments: 0..<10 as Range<UInt64>) func agreesWithADictionary(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = SlotTable<Tenant>(kind: 9, capacity: 150)
        var living: [Int: Int] = [:]
        var tokens: [(token: SlotToken, name: Int)] = []
        for name in 0..<1500 {
            if Bool.random(using: &random), let index = table.insert(Tenant(name)) {
                living[index] = name
                tokens.append((table.token(at: index), name))
            } else if let index = living.keys.sorted().randomElement(using: &random) {
                let removed = table.remove(at: index).name
                #expect(removed == living.removeValue(forKey: index), "seed \(seed)")
            }
        }
        for (token, name) in tokens {
            let index = table.resolve(token)
            let isLiving = living[token.index] == name
            #expect(index == (isLiving ? token.index : nil), "seed \(seed)")
        }
        let count = table.count
        #expect(count == living.count)
    }
}
