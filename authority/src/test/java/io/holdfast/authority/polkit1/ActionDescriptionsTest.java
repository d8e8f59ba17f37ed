package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.dbus.marshal.MarshalledBody;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the cache of replies to EnumerateActions. */
class ActionDescriptionsTest {
    @TempDir Path folder;

    private ActionPool pool() throws Exception {
        PolicyFolders folders = new PolicyFolders(folder).action("a.yes", "yes");
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options())) {
            return engine.actions();
        }
    }

    private static String locale(int number) {
        return "x" + number;
    }

    @Test
    void asManyAsTheLimitAreKeptAndTheLongestUnusedGoesFirst() throws Exception {
        ActionPool pool = pool();
        ActionDescriptions descriptions = new ActionDescriptions();
        List<MarshalledBody> answers = new ArrayList<>();
        for (int i = 0; i < ActionDescriptions.MAX_KEPT; i++) {
            answers.add(descriptions.in(locale(i), pool));
            assertThat(descriptions.size()).isEqualTo(i + 1);
        }
        for (int i = 0; i < ActionDescriptions.MAX_KEPT; i++) {
            assertThat(descriptions.in(locale(i), pool)).isSameAs(answers.get(i));
        }
        assertThat(descriptions.in(locale(0), pool)).as("used last").isSameAs(answers.get(0));
        MarshalledBody further = descriptions.in("one-more", pool);
        assertThat(descriptions.size()).isEqualTo(ActionDescriptions.MAX_KEPT);
        assertThat(descriptions.in("one-more", pool)).isSameAs(further);
        assertThat(descriptions.in(locale(0), pool)).isSameAs(answers.get(0));
        assertThat(descriptions.in(locale(1), pool)).as("made anew").isNotSameAs(answers.get(1));
        assertThat(descriptions.size()).isEqualTo(ActionDescriptions.MAX_KEPT);
    }

    @Test
    void whatIsNoLocaleIsAnsweredAndNotKept() throws Exception {
        ActionPool pool = pool();
        ActionDescriptions descriptions = new ActionDescriptions();
        MarshalledBody longest = descriptions.in("x".repeat(64), pool);
        assertThat(descriptions.in("x".repeat(64), pool)).isSameAs(longest);
        MarshalledBody tooLong = descriptions.in("x".repeat(65), pool);
        assertThat(tooLong.signature()).isEqualTo(longest.signature());
        assertThat(descriptions.in("x".repeat(65), pool)).isNotSameAs(tooLong);
        assertThat(descriptions.size()).isEqualTo(1);
    }
}
