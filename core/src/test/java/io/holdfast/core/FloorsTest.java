package io.holdfast.core;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Checks which packages of holdfast-core may import which others. The layers, from the lowest:
 * limit and text; the ground (core, its bindings in sys, and wait); file; process; socket. scope is
 * above process, and run is above scope.
 *
 * <p>The packages of the ground need each other, because {@link Fd} calls the bindings and the
 * bindings take an {@link Fd}. So the bindings may use the basic types of the root package, and
 * nothing that is built on the bindings.
 */
@SameOnEveryKernel
class FloorsTest {
    private static final String LIMIT = "io.holdfast.core.limit..";
    private static final String ROOT = "io.holdfast.core";
    private static final String SYS = "io.holdfast.core.sys..";
    private static final String WAIT = "io.holdfast.core.wait..";
    private static final String EVENT = "io.holdfast.core.event..";
    private static final String FILE = "io.holdfast.core.file..";
    private static final String PROCESS = "io.holdfast.core.process..";
    private static final String SOCKET = "io.holdfast.core.socket..";
    private static final String SCOPE = "io.holdfast.core.scope..";
    private static final String RUN = "io.holdfast.core.run..";
    private static final String TERMINAL = "io.holdfast.core.terminal..";
    private static final String STATE = "io.holdfast.core.state..";
    private static final String TEXT = "io.holdfast.core.text..";
    private static final String FOREIGN = "java.lang.foreign..";

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("io.holdfast.core");

    /** All of java.lang.foreign but plain views of memory and their arenas. */
    private static final DescribedPredicate<JavaClass> LINKING =
            resideInAPackage(FOREIGN)
                    .and(
                            describe(
                                    "more than a view of memory",
                                    type ->
                                            !type.getName()
                                                            .startsWith(
                                                                    "java.lang.foreign.MemorySegment")
                                                    && !type.getName()
                                                            .equals("java.lang.foreign.Arena")));

    @Test
    void allOfCoreIsLookedAt() {
        assertThat(CORE.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(
                        "io.holdfast.core",
                        "io.holdfast.core.event",
                        "io.holdfast.core.file",
                        "io.holdfast.core.file.folder",
                        "io.holdfast.core.limit",
                        "io.holdfast.core.machine",
                        "io.holdfast.core.process",
                        "io.holdfast.core.process.privilege",
                        "io.holdfast.core.run",
                        "io.holdfast.core.scope",
                        "io.holdfast.core.socket",
                        "io.holdfast.core.state",
                        "io.holdfast.core.sys",
                        "io.holdfast.core.sys.process",
                        "io.holdfast.core.sys.socket",
                        "io.holdfast.core.terminal",
                        "io.holdfast.core.text",
                        "io.holdfast.core.wait");
    }

    @Test
    void noFloorImportsFromAbove() {
        noClasses()
                .that()
                .resideInAPackage(LIMIT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT, SYS, WAIT, FILE, PROCESS, SOCKET)
                .check(CORE);
        noClasses()
                .that()
                .resideInAnyPackage(ROOT, SYS, WAIT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(FILE, PROCESS, SOCKET)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(FILE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(PROCESS, SOCKET)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(PROCESS)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(SOCKET)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(TEXT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT, SYS, WAIT, FILE, PROCESS, SOCKET)
                .check(CORE);
    }

    @Test
    void eventsKnowNothingOfWhatTheyAreAbout() {
        noClasses()
                .that()
                .resideInAPackage(EVENT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT, SYS, WAIT, FILE, PROCESS, SOCKET, SCOPE, RUN)
                .check(CORE);
        noClasses()
                .that()
                .resideOutsideOfPackage(EVENT)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.jfr..")
                .check(CORE);
    }

    /** The basic types: descriptors, failures, signals and the features of the kernel. */
    private static final DescribedPredicate<JavaClass> WORDS =
            describe(
                    "words of the root package",
                    type ->
                            type.getBaseComponentType().getPackageName().equals(ROOT)
                                    && List.of(
                                                    "Errno",
                                                    "ErrnoException",
                                                    "Fd",
                                                    "Feature",
                                                    "NotSupportedException",
                                                    "FileStatus",
                                                    "Signal")
                                            .contains(outermost(type.getBaseComponentType())));

    private static String outermost(JavaClass type) {
        String name = type.getName().substring(type.getPackageName().length() + 1);
        int nested = name.indexOf('$');
        return nested < 0 ? name : name.substring(0, nested);
    }

    @Test
    void theBindingsKnowNothingThatIsMadeOfThem() {
        noClasses()
                .that()
                .resideInAPackage(SYS)
                .should()
                .dependOnClassesThat(
                        resideInAPackage(WAIT)
                                .or(resideInAPackage(ROOT).and(DescribedPredicate.not(WORDS))))
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.core.sys")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.holdfast.core.sys.process", "io.holdfast.core.sys.socket")
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.core.sys.socket")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.holdfast.core.sys.process")
                .check(CORE);
    }

    @Test
    void scopesAndRunsAreOnTop() {
        noClasses()
                .that()
                .resideOutsideOfPackages(SCOPE, RUN)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SCOPE, RUN)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(SCOPE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(RUN, SOCKET)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(RUN)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(SOCKET)
                .check(CORE);
    }

    @Test
    void pseudoTerminalsAreAboveProcesses() {
        noClasses()
                .that()
                .resideOutsideOfPackage(TERMINAL)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(TERMINAL)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(TERMINAL)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SCOPE, RUN, SOCKET)
                .check(CORE);
    }

    @Test
    void whatIsWrittenDownIsAboveProcesses() {
        noClasses()
                .that()
                .resideOutsideOfPackage(STATE)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(STATE)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(STATE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SCOPE, RUN, SOCKET, TERMINAL)
                .check(CORE);
    }

    @Test
    void theLinkerIsUsedOnTheLowestFloorOnly() {
        noClasses()
                .that()
                .resideInAnyPackage(FILE, PROCESS, SCOPE, RUN, SOCKET, STATE, TERMINAL)
                .should()
                .dependOnClassesThat(LINKING)
                .check(CORE);
        classes()
                .that(describe("calling the linker", FloorsTest::usesLinker))
                .should()
                .haveNameMatching("io\\.holdfast\\.core\\.sys\\.(Libc|Library\\$NineWords)")
                .check(CORE);
    }

    private static boolean usesLinker(JavaClass type) {
        return type.getDirectDependenciesFromSelf().stream()
                .anyMatch(d -> d.getTargetClass().getName().equals("java.lang.foreign.Linker"));
    }

    @Test
    void noPublicSignatureAboveTheLowestFloorMentionsForeignMemory() {
        methods()
                .that()
                .areDeclaredInClassesThat()
                .resideInAnyPackage(FILE, PROCESS, SCOPE, RUN, SOCKET, TERMINAL)
                .and()
                .haveModifier(JavaModifier.PUBLIC)
                .and()
                .areDeclaredInClassesThat()
                .arePublic()
                .should(notMentionForeignMemory())
                .check(CORE);
    }

    private static ArchCondition<JavaCodeUnit> notMentionForeignMemory() {
        DescribedPredicate<JavaClass> foreign = resideInAPackage(FOREIGN);
        return new ArchCondition<>("mention nothing of java.lang.foreign") {
            @Override
            public void check(JavaCodeUnit unit, ConditionEvents events) {
                boolean mentions =
                        foreign.test(unit.getRawReturnType())
                                || unit.getRawParameterTypes().stream().anyMatch(foreign);
                events.add(
                        new SimpleConditionEvent(
                                unit, !mentions, unit.getFullName() + " mentions foreign memory"));
            }
        };
    }

    @Test
    void theJdkIsTheOnlyDependency() {
        classes()
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage("java..", "io.holdfast.core..")
                                .or(resideInAPackage("jdk.jfr.."))
                                .or(
                                        describe(
                                                "annotations that only the compiler reads",
                                                type ->
                                                        type.getPackageName()
                                                                        .startsWith("org.jspecify")
                                                                || type.getPackageName()
                                                                        .startsWith(
                                                                                "com.google.errorprone.annotations")))
                                .or(describe("primitives", FloorsTest::isPlain)))
                .check(CORE);
    }

    private static boolean isPlain(JavaClass type) {
        return type.isPrimitive() || type.isArray();
    }
}
