package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.core.testkit.PackageOrder;
import org.junit.jupiter.api.Test;

/**
 * The dependencies that are allowed between the packages of holdfast-bus; the broker, in the root
 * package, may use all.
 */
class FloorsTest {
    private static final String ROOT = "io.holdfast.bus";

    private static final JavaClasses BUS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    private static final PackageOrder ORDER = new PackageOrder(ROOT, BUS);

    @Test
    void allOfTheBusIsLookedAt() {
        assertThat(BUS.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(
                        ROOT,
                        ROOT + ".account",
                        ROOT + ".activation",
                        ROOT + ".config",
                        ROOT + ".connection",
                        ROOT + ".driver",
                        ROOT + ".match",
                        ROOT + ".policy",
                        ROOT + ".relay",
                        ROOT + ".route",
                        ROOT + ".service");
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        ORDER.assertUsesOnly("config");
        ORDER.assertUsesOnly("policy", "config");
        ORDER.assertUsesOnly("account", "policy", "config");
        ORDER.assertUsesOnly("match", "account", "policy");
        ORDER.assertUsesOnly("relay", "account");
        ORDER.assertUsesOnly("service", "config");
        ORDER.assertUsesOnly("connection", "relay", "account", "policy", "config");
        ORDER.assertUsesOnly("route", "connection", "relay", "account", "match", "policy");
        ORDER.assertUsesOnly(
                "activation",
                "route",
                "connection",
                "relay",
                "account",
                "policy",
                "service",
                "config");
        ORDER.assertUsesOnly(
                "driver",
                "activation",
                "route",
                "connection",
                "relay",
                "account",
                "match",
                "policy",
                "config");
    }
}
