//! Who hears of an offer's submissions (NO-1 to NO-6).

use std::collections::HashSet;

/// A member with publishing permission, as the catalog knows them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// "publishers/{publisher}/members/{member}".
    pub name: String,
    pub principal: String,
    pub display_name: String,
    pub owner: bool,
    /// Manager or developer.
    pub may_join: bool,
    /// A person, not a program: has an address to verify.
    pub person: bool,
}

/// Owners always, managers and developers who chose to; each once (A35).
pub fn recipients<'a>(members: &'a [Member], audience: &HashSet<String>) -> Vec<&'a Member> {
    members
        .iter()
        .filter(|member| member.owner || is_listed(member, audience))
        .collect()
}

/// Whether the member is on the list by choice: who lost the role is not (NO-6).
pub fn is_listed(member: &Member, audience: &HashSet<String>) -> bool {
    !member.owner && member.may_join && audience.contains(&member.principal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, owner: bool, may_join: bool) -> Member {
        Member {
            name: format!("publishers/contoso/members/{id}"),
            principal: id.into(),
            display_name: id.into(),
            owner,
            may_join,
            person: true,
        }
    }

    #[test]
    fn no_1_to_6_and_a35_who_is_told() {
        let everybody = [
            member("olga", true, false),
            member("otto", true, true),
            member("mia", false, true),
            member("dan", false, true),
            member("marketer", false, false),
        ];
        let table: [(&str, &[&str], &[&str]); 6] = [
            ("NO-2: owners without being asked", &[], &["olga", "otto"]),
            ("NO-3: others by choice", &["mia"], &["olga", "otto", "mia"]),
            (
                "AS-019: all who may",
                &["mia", "dan"],
                &["olga", "otto", "mia", "dan"],
            ),
            (
                "A35: an owner on the list is told once",
                &["otto", "olga"],
                &["olga", "otto"],
            ),
            (
                "NO-1, AS-018: nobody else, listed or not",
                &["marketer"],
                &["olga", "otto"],
            ),
            (
                "NO-6: who left is no member any more",
                &["gone"],
                &["olga", "otto"],
            ),
        ];
        for (rule, listed, told) in table {
            let audience = listed.iter().map(|id| (*id).to_owned()).collect();
            let got: Vec<&str> = recipients(&everybody, &audience)
                .iter()
                .map(|m| m.principal.as_str())
                .collect();
            assert_eq!(got, told, "{rule}");
        }
    }
}
