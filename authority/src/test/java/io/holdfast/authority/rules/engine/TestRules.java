package io.holdfast.authority.rules.engine;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.RuleVerdict;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A rule engine with files from strings, which records its log lines. */
public final class TestRules implements AutoCloseable {
    public static final DescribedSubject JANE =
            DescribedSubject.atSeat(501, "jane", "users", "wheel");

    /** Returns a user with this uid, at a seat. */
    static DescribedSubject user(long uid) {
        return DescribedSubject.atSeat(uid, "user" + uid);
    }

    public final Queue<String> logged = new ConcurrentLinkedQueue<>();
    public final RuleEngine engine;
    private volatile RuleFiles files;

    private TestRules(RuleLimits limits, String... sources) {
        files = files(sources);
        engine =
                RuleEngine.start(
                        () -> files,
                        limits,
                        (place, text) -> logged.add(place + ": " + text),
                        Optional.empty());
        engine.generation().prepare(); // some limits are shorter than this takes once in a JVM
    }

    public static TestRules of(String... sources) {
        return new TestRules(RuleLimits.standard(), sources);
    }

    public static TestRules of(RuleLimits limits, String... sources) {
        return new TestRules(limits, sources);
    }

    public static RuleFiles files(String... sources) {
        RuleFile[] files = new RuleFile[sources.length];
        for (int i = 0; i < sources.length; i++) {
            files[i] = new RuleFile(Path.of("/r/" + (i + 1) + ".rules"), sources[i]);
        }
        return new RuleFiles(List.of(files), List.of());
    }

    public void replace(String... sources) {
        files = files(sources);
        engine.reload();
    }

    public RuleVerdict ask(String action, String... details) {
        return ask(JANE, action, details);
    }

    public RuleVerdict ask(RuleSubject subject, String action, String... details) {
        return engine.evaluate(action(action, details), subject).join();
    }

    /** Returns the word of the answer, or "nothing". */
    public String word(String action, String... details) {
        return ask(action, details).answer().map(ImplicitAuthorization::word).orElse("nothing");
    }

    public String word(RuleSubject subject, String action) {
        return ask(subject, action).answer().map(ImplicitAuthorization::word).orElse("nothing");
    }

    public static RuleAction action(String id, String... details) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < details.length; i += 2) {
            map.put(details[i], details[i + 1]);
        }
        return new RuleAction(id, map);
    }

    @Override
    public void close() {
        engine.close();
    }
}
