package io.holdfast.manager.unit.value;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SystemCallGroupsTest {
    /** Returns the groups of the installed systemd, by the names that its tool prints. */
    private static Map<String, List<String>> ofSystemd() throws Exception {
        try (Child child =
                Spawn.of("systemd-analyze", "syscall-filter", "--no-pager")
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull())
                        .start()) {
            Map<String, List<String>> groups = new TreeMap<>();
            List<String> words = new ArrayList<>();
            String text = new String(child.stdout().readAllBytes(), UTF_8);
            for (String line : text.lines().toList()) {
                if (line.startsWith("#")) {
                    break; // calls of no group
                }
                if (line.startsWith("@")) {
                    words = new ArrayList<>();
                    groups.put(line, words);
                } else if (!line.isBlank() && !line.strip().startsWith("#")) {
                    words.add(line.strip());
                }
            }
            return groups;
        }
    }

    private static Set<String> expanded(Map<String, List<String>> groups, String word) {
        Set<String> names = new TreeSet<>();
        if (groups.containsKey(word)) {
            groups.get(word).forEach(each -> names.addAll(expanded(groups, each)));
        } else {
            names.add(word);
        }
        return names;
    }

    @Test
    @Needs(programs = "systemd-analyze")
    void eachGroupHasTheCallsThatItHasInSystemd() throws Exception {
        Map<String, List<String>> theirs = ofSystemd();
        theirs.remove("@known"); // also has what its libseccomp knows
        assertThat(theirs).containsKeys("@default", "@privileged", "@system-service");
        for (String group : theirs.keySet()) {
            assertThat(SystemCallGroups.expanded(group))
                    .as(group)
                    .isEqualTo(expanded(theirs, group));
        }
    }

    @Test
    void eachCallOfAGroupCanBeNamed() {
        for (String group : List.of("@obsolete", "@privileged", "@raw-io", "@file-system")) {
            assertThat(SystemCallGroups.expanded(group)).allMatch(SystemCallGroups::isKnown);
        }
    }

    @Test
    void aMisspelledNameIsRefusedWithTheNearestOne() {
        List<String> problems = new ArrayList<>();
        SystemCallList _ =
                SystemCallList.ofDefault()
                        .with(true, List.of("mkdri", "@clcok", "mount:EPERMM"), problems::add);
        assertThat(problems)
                .satisfiesExactly(
                        why -> assertThat(why).endsWith(", did you mean mkdir?"),
                        why -> assertThat(why).endsWith(", did you mean @clock?"),
                        why -> assertThat(why).endsWith(", did you mean EPERM?"));
        assertThatThrownBy(() -> AddressFamily.number("AF_INET7"))
                .hasMessageContaining("did you mean AF_INET");
        assertThatThrownBy(() -> Capability.parse("CAP_NET_ADMINN"))
                .hasMessageContaining("did you mean CAP_NET_ADMIN?");
    }
}
