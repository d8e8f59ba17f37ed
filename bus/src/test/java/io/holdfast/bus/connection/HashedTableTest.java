package io.holdfast.bus.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HashedTableTest {
    /** Equal only to itself; other words may have the same hash. */
    private static final class Word implements HashedTable.Entry {
        private final int hash;

        private Word(int hash) {
            this.hash = hash;
        }

        @Override
        public int hash() {
            return hash;
        }
    }

    private final HashedTable<Word> table = new HashedTable<>();

    private boolean has(Word word) {
        int slot = table.slotOf(word.hash());
        for (Word found = table.get(slot); found != null; found = table.get(slot)) {
            if (found == word) {
                return true;
            }
            slot = table.after(slot);
        }
        return false;
    }

    /** With few hashes there are long runs of candidates. */
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 63, 64, 1_000, Integer.MAX_VALUE})
    void holdsWhatWasAddedAndNotRemoved(int hashes) {
        Random random = new Random(hashes);
        List<Word> held = new ArrayList<>();
        List<Word> gone = new ArrayList<>();
        for (int step = 0; step < 3_000; step++) {
            boolean growing = step % 1_000 < 600;
            if (held.isEmpty() || random.nextInt(10) < (growing ? 8 : 2)) {
                Word word = new Word(random.nextInt(hashes) - hashes / 2);
                table.add(word);
                held.add(word);
            } else {
                Word word = held.remove(random.nextInt(held.size()));
                table.remove(word);
                gone.add(word);
            }
            assertThat(table.size()).isEqualTo(held.size());
        }
        assertThat(held).allMatch(this::has);
        assertThat(gone).noneMatch(this::has);
        assertThat(table.all()).containsExactlyInAnyOrderElementsOf(held);
    }

    @Test
    void shrinksAsItGrewAndLosesNobody() {
        List<Word> held = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            held.add(new Word(i * 7919));
            table.add(held.getLast());
        }
        assertThat(table.slotOf(-1)).isEqualTo(2_047);

        while (held.size() > 5) {
            table.remove(held.removeLast());
        }

        assertThat(table.slotOf(-1)).isEqualTo(63);
        assertThat(table.all()).containsExactlyInAnyOrderElementsOf(held);
        assertThat(held).allMatch(this::has);
    }

    @Test
    void removingWhatIsNotThereChangesNothing() {
        Word here = new Word(3);
        table.add(here);

        table.remove(new Word(3));
        table.remove(new Word(4));

        assertThat(table.all()).containsExactly(here);
    }

    @Test
    void movesUpAcrossTheEndOfTheSlots() {
        Word first = new Word(63);
        Word second = new Word(63);
        Word third = new Word(0);
        table.add(first);
        table.add(second);
        table.add(third);

        table.remove(first);

        assertThat(has(second)).isTrue();
        assertThat(has(third)).isTrue();
        assertThat(table.slotOf(63)).isEqualTo(63);
        assertThat(table.get(63)).isSameAs(second);
    }
}
