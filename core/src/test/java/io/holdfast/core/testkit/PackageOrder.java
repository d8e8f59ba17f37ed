package io.holdfast.core.testkit;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.stream.Stream;

/**
 * Which package of a module may use which.
 *
 * @param root the package whose name all others of the module begin with
 * @param classes those of the module
 */
public record PackageOrder(String root, JavaClasses classes) {
    /**
     * Fails if a package uses another of the module than those below it.
     *
     * @param name of the package, behind that of the root; empty for the root package itself
     * @param below the names of those that it may use
     */
    public void assertUsesOnly(String name, String... below) {
        String[] allowed =
                Stream.concat(Stream.of(name), Stream.of(below))
                        .map(this::whole)
                        .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(whole(name))
                .should()
                .dependOnClassesThat(
                        resideInAPackage(root + "..").and(not(resideInAnyPackage(allowed))))
                .check(classes);
    }

    private String whole(String name) {
        return name.isEmpty() ? root : root + "." + name;
    }
}
