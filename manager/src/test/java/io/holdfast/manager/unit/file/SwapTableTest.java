package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tests the parsing of the kernel's table of swaps. */
class SwapTableTest {
    @Test
    void theSwapsAreFoundByPath() {
        assertThat(
                        SwapTable.parse(
                                """
                                Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
                                /dev/sda5                               partition\t975868\t\t0\t\t-2
                                /swap\\040file                           file\t\t1024\t\t0\t\t10
                                broken
                                /x file 1 2 y
                                """))
                .containsOnlyKeys("/dev/sda5", "/swap file")
                .containsEntry("/dev/sda5", -2)
                .containsEntry("/swap file", 10);
    }

    @Test
    void aPathThatIsNoSwapIsNotFound() {
        assertThat(SwapTable.read(Set.of("/nonexistent")).at("/nonexistent")).isEmpty();
    }
}
