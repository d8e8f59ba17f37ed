package io.holdfast.core.testkit;

import io.holdfast.core.Feature;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.KernelFile;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Skips a test whose {@link Needs} are not met, and says which. */
public final class NeedsCondition implements ExecutionCondition {
    private static final Pattern COLON = Pattern.compile(":");

    /** nsenter(1) enters the root of a mount namespace, which is not that of a chroot in it. */
    private static final class Nsenter {
        static final boolean STAYS_IN_THIS_ROOT =
                root("nsenter", "--mount=/proc/self/ns/mnt").equals(root());

        private static String root(String... by) {
            List<String> command = new ArrayList<>(List.of(by));
            command.addAll(List.of("stat", "--format=%d:%i", "/"));
            return ChildJvm.run(command).output();
        }
    }

    private static final class UserNamespaces {
        static final boolean MAY_BE_MADE =
                ChildJvm.run(List.of("unshare", "--user", "true")).status() == 0;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        List<String> missing =
                context.getElement()
                        .flatMap(e -> AnnotationSupport.findAnnotation(e, Needs.class))
                        .map(NeedsCondition::missing)
                        .orElse(List.of());
        return missing.isEmpty()
                ? ConditionEvaluationResult.enabled("all that it needs is here")
                : ConditionEvaluationResult.disabled("needs " + String.join(", ", missing));
    }

    private static List<String> missing(Needs needs) {
        List<String> missing = new ArrayList<>();
        if (needs.root() && !isRoot()) {
            missing.add("root");
        }
        if (needs.cgroup2() && !(Cgroup.isMounted() && new File(Cgroup.mountPoint()).canWrite())) {
            missing.add("a writable cgroup v2 hierarchy");
        }
        if (needs.userNamespaces() && !UserNamespaces.MAY_BE_MADE) {
            missing.add("user namespaces, which the kernel refuses here (unshare --user)");
        }
        for (Feature feature : needs.features()) {
            if (!feature.isPresent()) {
                missing.add(feature.name() + " (" + feature.since() + ")");
            }
        }
        if (List.of(needs.features()).contains(Feature.MOUNT_TREES) && !isRootMounted()) {
            missing.add("a root that is a mount point, unlike that of this chroot (mount --bind)");
        }
        for (Feature feature : needs.without()) {
            if (feature.isPresent()) {
                missing.add("a kernel or libc without " + feature.name());
            }
        }
        for (String program : needs.programs()) {
            if (!isInPath(program)) {
                missing.add("the program " + program);
            } else if (program.equals("nsenter") && isRoot() && !Nsenter.STAYS_IN_THIS_ROOT) {
                missing.add("to be in no chroot, which nsenter(1) leaves");
            }
        }
        for (String file : needs.files()) {
            if (!new File(file).exists()) {
                missing.add(file);
            }
        }
        if (needs.disposableMachine() && !Boolean.getBoolean("holdfast.disposable")) {
            missing.add("a machine to throw away (scripts/vm)");
        }
        return missing;
    }

    /** Whether the kernel lets a mount namespace change the propagation of its root. */
    private static boolean isRootMounted() {
        return KernelFile.text(null, "/proc/self/mountinfo")
                .lines()
                .anyMatch(line -> line.split(" ", 6)[4].equals("/"));
    }

    private static boolean isRoot() {
        String status = KernelFile.text(null, "/proc/self/status");
        return status.contains("\nUid:\t0\t0\t");
    }

    /** Whether a program is to be found in {@code PATH}. */
    public static boolean isInPath(String program) {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        return COLON.splitAsStream(path).anyMatch(d -> new File(d, program).canExecute());
    }
}
