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
import org.junit.jupiter.api.Test;

/**
 * Which package of holdfast-core may import which: limit and text, then linux below file below
 * process below socket; scope above process, and run above scope.
 */
@SameOnEveryKernel
class FloorsTest {
    private static final String LIMIT = "io.holdfast.core.limit..";
    private static final String LINUX = "io.holdfast.core.linux..";
    private static final String FILE = "io.holdfast.core.file..";
    private static final String PROCESS = "io.holdfast.core.process..";
    private static final String SOCKET = "io.holdfast.core.socket..";
    private static final String SCOPE = "io.holdfast.core.scope..";
    private static final String RUN = "io.holdfast.core.run..";
    private static final String TEXT = "io.holdfast.core.text..";
    private static final String FOREIGN = "java.lang.foreign..";

    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("io.holdfast.core");

    /** A plain view of bytes, and where it comes from. */
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
                        "io.holdfast.core.file",
                        "io.holdfast.core.limit",
                        "io.holdfast.core.linux",
                        "io.holdfast.core.process",
                        "io.holdfast.core.run",
                        "io.holdfast.core.scope",
                        "io.holdfast.core.socket",
                        "io.holdfast.core.text");
    }

    @Test
    void noFloorImportsFromAbove() {
        noClasses()
                .that()
                .resideInAPackage(LIMIT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(LINUX, PROCESS, SOCKET)
                .check(CORE);
        noClasses()
                .that()
                .resideInAPackage(LINUX)
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
                .resideInAnyPackage(LINUX, PROCESS, SOCKET)
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
    void theLinkerIsUsedOnTheLowestFloorOnly() {
        noClasses()
                .that()
                .resideInAnyPackage(FILE, PROCESS, SCOPE, RUN, SOCKET)
                .should()
                .dependOnClassesThat(LINKING)
                .check(CORE);
        classes()
                .that(describe("calling the linker", FloorsTest::usesLinker))
                .should()
                .haveFullyQualifiedName("io.holdfast.core.linux.Libc")
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
                .resideInAnyPackage(FILE, PROCESS, SCOPE, RUN, SOCKET)
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
