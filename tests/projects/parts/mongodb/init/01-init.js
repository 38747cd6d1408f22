// Development only: a sample collection and user.
db.createCollection('samples')
db.createUser({ user: 'sample', pwd: 'placeholder-mongodb-password', roles: ['readWrite'] })
