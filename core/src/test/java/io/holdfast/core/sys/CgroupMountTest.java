package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class CgroupMountTest {
    private static final String ROOT = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw";
    private static final String V1 =
            "25 24 0:23 / /sys/fs/cgroup/cpu rw shared:5 - cgroup cgroup rw,cpu";
    private static final String HYBRID =
            "26 24 0:24 / /sys/fs/cgroup/unified rw,nosuid shared:6 - cgroup2 cgroup2 rw";
    private static final String BOUND =
            "40 22 0:24 /system.slice/a.service /srv/a rw shared:6 - cgroup2 cgroup2 rw";

    @Test
    void theMountOfTheWholeTreeIsPreferredToABoundPartOfIt() {
        for (String order :
                new String[] {
                    String.join("\n", ROOT, V1, HYBRID, BOUND),
                    String.join("\n", BOUND, ROOT, V1, HYBRID, ""),
                    HYBRID
                }) {
            assertThat(CgroupMount.in(order)).as(order).isEqualTo("/sys/fs/cgroup/unified");
        }
    }

    @Test
    void aPartIsTakenWhereThereIsNothingElse() {
        String other = BOUND.replace("/srv/a", "/srv/b");
        assertThat(CgroupMount.in(String.join("\n", ROOT, BOUND, other))).isEqualTo("/srv/a");
    }

    @Test
    void withoutCgroup2ThereIsNone() {
        assertThat(CgroupMount.in("")).isNull();
        assertThat(CgroupMount.in(ROOT + "\n" + V1 + "\n")).isNull();
        assertThat(CgroupMount.in("cgroup2 - but no mount")).isNull();
    }

    @Test
    void optionalFieldsAndBlanksInAPathDoNotConfuse() {
        String line = "26 24 0:24 / /mnt/a\\040b\\134c rw - cgroup2 none rw";
        assertThat(CgroupMount.in(line)).isEqualTo("/mnt/a b\\c");
        String more = line.replace("rw -", "rw shared:1 master:2 propagate_from:3 -");
        assertThat(CgroupMount.in(more)).isEqualTo("/mnt/a b\\c");
    }
}
