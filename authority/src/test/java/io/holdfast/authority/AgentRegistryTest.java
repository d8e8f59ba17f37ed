package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.process.PidFd;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tests which agents are registered, and which one is chosen for a subject. */
class AgentRegistryTest {
    private static final long USER = 20001;

    private final AgentRegistry agents = new AgentRegistry();
    private long last;

    private Agent add(Subject scope, boolean fallback) {
        Agent agent =
                new Agent(
                        ++last,
                        "connection",
                        "/agent",
                        scope,
                        Optional.empty(),
                        "C",
                        fallback,
                        new TestAgent());
        agents.add(agent);
        return agent;
    }

    private static Subject session(String id, long uid) {
        return new Subject.UnixSession(id, uid);
    }

    /** Adds agents of a user until the next one is refused. */
    private void fill(long uid) {
        int before = agents.all().size();
        assertThatExceptionOfType(AuthorityException.class)
                .isThrownBy(() -> {
                    for (int i = 0; i <= AuthorityLimits.AGENTS.intValue(); i++) {
                        var _ = add(session(uid + "-" + i, uid), false);
                    }
                })
                .withMessageContaining("-Dio.holdfast.authority.agents=");
        assertThat(agents.all()).hasSizeGreaterThan(before);
    }

    @Test
    void aUserHasALimitOfAgentsWhichLeavesRoomForOthers() {
        fill(USER);
        Agent others = add(session("other", USER + 1), false);
        assertThat(agents.find(session("other", USER + 1))).contains(others);
        assertThat(agents.remove(others)).isTrue();
        assertThat(agents.remove(agents.all().getFirst())).isTrue();
        assertThat(add(session("one more", USER), false).uid()).isEqualTo(USER);
    }

    @Test
    void manyUsersLeaveRoomForAnotherUserAndHalfForRoot() {
        for (int i = 0; i < 8; i++) {
            fill(USER + i);
        }
        assertThat(agents.all()).hasSizeLessThan(AuthorityLimits.AGENTS.intValue() / 2);
        assertThat(add(session("innocent", USER + 8), false).uid()).isEqualTo(USER + 8);
        for (int i = 0; i < AuthorityLimits.AGENTS.intValue() / 2; i++) {
            assertThat(add(session("root's " + i, 0), false).uid()).isZero();
        }
    }

    @Test
    void theAgentOfTheSubjectIsAskedBeforeThatOfItsSession() {
        try (Subject process = process()) {
            assertThat(agents.choose(process, Optional.of("7"))).isEmpty();
            Agent ofSession = add(session("7", USER), false);
            assertThat(agents.choose(process, Optional.of("7"))).contains(ofSession);
            assertThat(agents.choose(process, Optional.of("8"))).isEmpty();
            assertThat(agents.choose(process, Optional.empty())).isEmpty();
            Agent own = add(process, false);
            assertThat(agents.choose(process, Optional.of("7"))).contains(own);
        }
    }

    @Test
    void aFallbackStepsBackForTheAgentOfTheSession() {
        try (Subject process = process()) {
            Agent fallback = add(process, true);
            assertThat(agents.choose(process, Optional.of("7"))).contains(fallback);
            Agent ofSession = add(session("7", USER), false);
            assertThat(agents.choose(process, Optional.of("7"))).contains(ofSession);
            assertThat(agents.choose(process, Optional.of("8"))).contains(fallback);
        }
    }

    private static Subject process() {
        return new Subject.UnixProcess(PidFd.self(), USER, Origin.DESCRIPTOR, Optional.empty());
    }
}
