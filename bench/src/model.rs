//! The key as somebody who decodes it by hand would write it down.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Key {
    pub id: String,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub key: String,
    pub hashed_secret: Option<String>,
    pub label: String,
    pub status: Option<String>,
    pub last_used_at: Option<String>,
    pub expires_at: Option<String>,
    pub permissions: Option<Vec<String>>,
    pub ip_whitelist: Option<Vec<String>>,
    pub collections: Option<Vec<String>>,
    pub workspace_id: String,
    pub created_by: Option<String>,
    pub secret: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Page {
    pub data: Vec<Key>,
    pub total_count: u64,
    pub page: Option<i64>,
    pub limit: Option<i64>,
    pub next_page: Option<i64>,
    pub next_cursor: Option<String>,
    pub has_more: Option<bool>,
}
