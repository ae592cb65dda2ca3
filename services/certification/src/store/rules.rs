//! Policies, eligibility criteria, and what other certifications say about an offer's application.

use sqlx::PgConnection;

use crate::domain::{Criterion, Policies, Policy};

/// All policies.
pub async fn policies(db: &mut PgConnection) -> Result<Policies, sqlx::Error> {
    let all = list_policies(db, None, i64::from(i32::MAX)).await?;
    Ok(all
        .into_iter()
        .map(|(_, policy)| (policy.id.clone(), policy))
        .collect())
}

/// Policies in their order, with their positions.
pub async fn list_policies(
    db: &mut PgConnection,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<(i32, Policy)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, position, title, description, url FROM certification.policies
        WHERE $1::int IS NULL OR position > $1 ORDER BY position LIMIT $2
        "#,
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    let policy = rows.into_iter().map(|row| {
        let policy = Policy {
            id: row.id,
            title: row.title,
            description: row.description,
            url: row.url,
        };
        (row.position, policy)
    });
    Ok(policy.collect())
}

/// What level 1 needs from this database.
#[derive(Debug, Clone, Default)]
pub struct EligibilityFacts {
    pub criteria: Vec<Criterion>,
    /// Another publisher that has a passed offer with this application.
    pub application_owner: Option<String>,
    /// Another application of this publisher's passed offers.
    pub other_application: Option<String>,
}

/// Reads the criteria of a type and who uses an Entra application, in one statement.
pub async fn eligibility_facts(
    db: &mut PgConnection,
    offer_type: &str,
    publisher: &str,
    application: &str,
) -> Result<EligibilityFacts, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT a.owner, a.other, e.area AS "area?", e.competency AS "competency?", e.min_level AS "min_level?",
               e.policy AS "policy?"
        FROM (SELECT (SELECT publisher FROM certification.cases
                      WHERE $3 <> '' AND application_id = $3 AND publisher <> $2 AND state = 'PASSED' LIMIT 1) AS owner,
                     (SELECT application_id FROM certification.cases
                      WHERE $3 <> '' AND publisher = $2 AND application_id NOT IN ('', $3) AND state = 'PASSED'
                      ORDER BY id DESC LIMIT 1) AS other) a
        LEFT JOIN certification.eligibility_criteria e ON e.offer_type = $1
        ORDER BY e.area, e.competency
        "#,
        offer_type,
        publisher,
        application,
    )
    .fetch_all(db)
    .await?;
    let mut facts = EligibilityFacts::default();
    for row in rows {
        facts.application_owner = row.owner;
        facts.other_application = row.other;
        if let (Some(area), Some(competency), Some(min_level), Some(policy)) =
            (row.area, row.competency, row.min_level, row.policy)
        {
            facts.criteria.push(Criterion {
                offer_type: offer_type.to_owned(),
                area,
                competency,
                min_level,
                policy,
            });
        }
    }
    Ok(facts)
}
